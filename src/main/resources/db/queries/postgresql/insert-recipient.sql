-- All rows in one statement.
INSERT INTO recipient (tenant_id, message_pk, position, delivery_pk, address, changed_at, state)
SELECT asked.*, 'pending'
FROM unnest(CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS integer[]), CAST(? AS bigint[]), CAST(? AS text[]),
  CAST(? AS bigint[]))
  AS asked
