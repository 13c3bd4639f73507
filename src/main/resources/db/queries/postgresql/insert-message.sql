-- All rows in one statement; it returns the keys of those whose id was free.
INSERT INTO message (pk, tenant_id, id, account_id, priority, batch_code, deferred_ts, created_at, payload, trace_parent)
SELECT * FROM unnest(CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS integer[]),
  CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]))
ON CONFLICT (tenant_id, id) DO NOTHING
RETURNING pk
