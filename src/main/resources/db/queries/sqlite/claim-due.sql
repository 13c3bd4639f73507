-- Priority 0 first, then by a date that each further level of priority puts off by a minute: low priority ages. A sixteenth of
-- the room is left to it also where priority 0 would fill all. Small messages come along, large ones are read when they start.
UPDATE queue
SET state = 'leased', lease_owner = :?node, lease_epoch = lease_epoch + 1
WHERE pk IN (
  SELECT pk FROM (
    SELECT pk, rank, turn, row_number() OVER (PARTITION BY rank ORDER BY turn, pk) AS place FROM (
      SELECT * FROM (SELECT pk, 0 AS rank, due_at AS turn FROM queue
        WHERE account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 0 AND due_at <= now_ms()
        ORDER BY due_at, pk LIMIT :?room)
      UNION ALL
      SELECT * FROM (SELECT pk, 1, due_at + 60000 FROM queue
        WHERE account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 1 AND due_at <= now_ms()
        ORDER BY due_at, pk LIMIT :?room)
      UNION ALL
      SELECT * FROM (SELECT pk, 1, due_at + 120000 FROM queue
        WHERE account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 2 AND due_at <= now_ms()
        ORDER BY due_at, pk LIMIT :?room)
      UNION ALL
      SELECT * FROM (SELECT pk, 1, due_at + 180000 FROM queue
        WHERE account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 3 AND due_at <= now_ms()
        ORDER BY due_at, pk LIMIT :?room)
    )
  )
  ORDER BY rank * (place > :?room / 16), turn, pk
  LIMIT :?room
)
RETURNING tenant_id, pk, message_pk, lease_epoch, priority, due_at, attempts, accepted_at, bytes,
  CASE WHEN bytes <= :?inline THEN (SELECT payload FROM message WHERE message.pk = message_pk) END AS payload,
  CASE WHEN bytes <= :?inline THEN (SELECT trace_parent FROM message WHERE message.pk = message_pk) END AS trace_parent,
  CASE WHEN bytes <= :?inline THEN (SELECT group_concat(position) FROM recipient
    WHERE recipient.message_pk = queue.message_pk AND delivery_pk = queue.pk AND recipient.state = 'pending') END AS pending
