SELECT address, reply
FROM recipient
WHERE message_pk = ? AND state IN ('failed', 'expired', 'cancelled')
ORDER BY position
