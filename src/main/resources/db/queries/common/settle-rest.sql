UPDATE recipient
SET state = ?, reply = CASE WHEN reply IS NULL THEN ? ELSE ? || ': ' || reply END, changed_at = ?
WHERE message_pk = ? AND delivery_pk = ? AND state IN ('pending', 'uncertain')
