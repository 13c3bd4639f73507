-- All rows in one statement; it returns the keys of those whose id was free: in its slice by a unique key, in others by a look.
INSERT INTO message (pk, tenant_id, id, account_id, priority, batch_code, deferred_ts, created_at, payload, trace_parent)
SELECT DISTINCT ON (asked.tenant_id, asked.id) asked.*
FROM unnest(CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS integer[]),
  CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]))
  AS asked (pk, tenant_id, id, account_id, priority, batch_code, deferred_ts, created_at, payload, trace_parent)
WHERE (SELECT m.pk FROM message m WHERE m.tenant_id = asked.tenant_id AND m.id = asked.id LIMIT 1) IS NULL
ORDER BY asked.tenant_id, asked.id, asked.pk
ON CONFLICT DO NOTHING
RETURNING pk
