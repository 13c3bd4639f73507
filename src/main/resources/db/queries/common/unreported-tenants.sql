SELECT DISTINCT tenant_id
FROM event
WHERE reported_at IS NULL AND type IN ('deferred', 'sent', 'error')
