-- As on SQLite; rows that another node is claiming in this moment are passed over, and who lost its lease gets none.
WITH ready AS MATERIALIZED (
  SELECT * FROM (SELECT pk, 0 AS rank, due_at AS turn FROM queue
        WHERE tenant_id = :?tenant AND account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 0 AND due_at <= now_ms()
        ORDER BY due_at, pk LIMIT :?room FOR UPDATE SKIP LOCKED) AS p0
  UNION ALL
  SELECT * FROM (SELECT pk, 1 AS rank, due_at + 60000 AS turn FROM queue
        WHERE tenant_id = :?tenant AND account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 1 AND due_at <= now_ms()
        ORDER BY due_at, pk LIMIT :?room FOR UPDATE SKIP LOCKED) AS p1
  UNION ALL
  SELECT * FROM (SELECT pk, 1 AS rank, due_at + 120000 AS turn FROM queue
        WHERE tenant_id = :?tenant AND account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 2 AND due_at <= now_ms()
        ORDER BY due_at, pk LIMIT :?room FOR UPDATE SKIP LOCKED) AS p2
  UNION ALL
  SELECT * FROM (SELECT pk, 1 AS rank, due_at + 180000 AS turn FROM queue
        WHERE tenant_id = :?tenant AND account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 3 AND due_at <= now_ms()
        ORDER BY due_at, pk LIMIT :?room FOR UPDATE SKIP LOCKED) AS p3
),
placed AS (
  SELECT pk, rank, turn, row_number() OVER (PARTITION BY rank ORDER BY turn, pk) AS place FROM ready
),
taken AS MATERIALIZED (
  SELECT pk FROM placed
  WHERE EXISTS (SELECT 1 FROM node WHERE node.pk = :?node AND until_at > now_ms())
  ORDER BY CASE WHEN place > :?room / 16 THEN rank ELSE 0 END, turn, pk
  LIMIT :?room
)
UPDATE queue q
SET state = 'leased', lease_owner = :?node, lease_epoch = lease_epoch + 1
FROM taken
WHERE q.tenant_id = :?tenant AND q.pk = taken.pk
RETURNING q.tenant_id, q.pk, q.message_pk, q.lease_epoch, q.priority, q.due_at, q.attempts, q.accepted_at, q.bytes,
  CASE WHEN q.bytes <= :?inline THEN (SELECT payload FROM message
    WHERE message.tenant_id = :?tenant AND message.pk = q.message_pk) END AS payload,
  CASE WHEN q.bytes <= :?inline THEN (SELECT trace_parent FROM message
    WHERE message.tenant_id = :?tenant AND message.pk = q.message_pk) END AS trace_parent,
  CASE WHEN q.bytes <= :?inline THEN (SELECT string_agg(CAST(position AS text), ',') FROM recipient
    WHERE recipient.tenant_id = :?tenant AND recipient.message_pk = q.message_pk AND delivery_pk = q.pk AND recipient.state = 'pending') END AS pending
