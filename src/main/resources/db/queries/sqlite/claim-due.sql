UPDATE queue
SET state = 'leased', lease_owner = :?node, lease_epoch = lease_epoch + 1
WHERE pk IN (
  SELECT pk FROM (
    SELECT * FROM (SELECT pk, priority, due_at FROM queue
      WHERE account_pk = :?lane AND state = 'due' AND priority = 0 AND due_at <= now_ms()
      ORDER BY due_at, pk LIMIT :?room)
    UNION ALL
    SELECT * FROM (SELECT pk, priority, due_at FROM queue
      WHERE account_pk = :?lane AND state = 'due' AND priority = 1 AND due_at <= now_ms()
      ORDER BY due_at, pk LIMIT :?room)
    UNION ALL
    SELECT * FROM (SELECT pk, priority, due_at FROM queue
      WHERE account_pk = :?lane AND state = 'due' AND priority = 2 AND due_at <= now_ms()
      ORDER BY due_at, pk LIMIT :?room)
    UNION ALL
    SELECT * FROM (SELECT pk, priority, due_at FROM queue
      WHERE account_pk = :?lane AND state = 'due' AND priority = 3 AND due_at <= now_ms()
      ORDER BY due_at, pk LIMIT :?room)
  )
  ORDER BY priority, due_at, pk
  LIMIT :?room
)
RETURNING pk, message_pk, account_pk, lease_epoch, priority, due_at, attempts, accepted_at, bytes
