-- From tenant to tenant along the index, however much stands in it.
WITH RECURSIVE found (tenant_id) AS (
  SELECT min(tenant_id) FROM event WHERE reported_at IS NULL AND type IN ('deferred', 'sent', 'error')
  UNION ALL
  SELECT (SELECT min(e.tenant_id) FROM event e
          WHERE e.reported_at IS NULL AND e.type IN ('deferred', 'sent', 'error') AND e.tenant_id > found.tenant_id)
  FROM found
  WHERE found.tenant_id IS NOT NULL
)
SELECT tenant_id FROM found WHERE tenant_id IS NOT NULL
