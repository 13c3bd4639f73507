SELECT address, reply
FROM recipient
WHERE tenant_id = ? AND message_pk = ? AND state IN ('failed', 'expired', 'cancelled')
ORDER BY position
