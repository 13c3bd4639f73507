SELECT address, reply
FROM recipient
WHERE message_pk = ? AND state = 'failed'
ORDER BY position
