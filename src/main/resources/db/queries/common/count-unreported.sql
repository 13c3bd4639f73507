SELECT e.tried, count(*) AS waiting, min(e.at) AS oldest
FROM event e
WHERE e.reported_at IS NULL AND e.type IN ('deferred', 'sent', 'error')
  AND (CAST(:?common AS INTEGER) = 1 OR EXISTS (SELECT 1 FROM tenant t WHERE t.id = e.tenant_id AND t.client_base_url IS NOT NULL))
GROUP BY e.tried
