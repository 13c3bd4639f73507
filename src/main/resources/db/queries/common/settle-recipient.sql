UPDATE recipient
SET state = ?, code = ?, enhanced = ?, reply = ?, changed_at = ?
WHERE message_pk = ? AND position = ?
