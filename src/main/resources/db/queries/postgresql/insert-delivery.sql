-- All rows in one statement.
INSERT INTO queue (tenant_id, pk, message_pk, account_pk, rule_pk, state, priority, due_at, lease_owner, accepted_at, bytes,
  batch_code, expires_at, hold_reason, lease_epoch)
SELECT asked.*, 1
FROM unnest(CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]),
  CAST(? AS text[]), CAST(? AS integer[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]),
  CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS text[]))
  AS asked
