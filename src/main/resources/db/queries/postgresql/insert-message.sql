-- Not by VALUES: the driver would make one statement of many, and not tell which of them found their id taken.
INSERT INTO message (pk, tenant_id, id, account_id, priority, batch_code, deferred_ts, created_at, payload, trace_parent)
SELECT CAST(? AS bigint), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS integer), CAST(? AS text),
  CAST(? AS bigint), CAST(? AS bigint), CAST(? AS text), CAST(? AS text)
ON CONFLICT (tenant_id, id) DO NOTHING
