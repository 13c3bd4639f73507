-- All rows in one statement; it returns those whose lease is held.
UPDATE queue
SET state = 'due', lease_owner = NULL, in_data = 0, attempts = attempts + 1, crashes = 0, due_at = asked.due_at
FROM unnest(CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]))
  AS asked (due_at, tenant_id, pk, lease_owner, lease_epoch)
WHERE queue.tenant_id = asked.tenant_id AND queue.pk = asked.pk
  AND queue.lease_owner = asked.lease_owner AND queue.lease_epoch = asked.lease_epoch
RETURNING asked.*
