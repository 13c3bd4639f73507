UPDATE recipient
SET state = ?, code = ?, enhanced = ?, reply = ?, changed_at = ?
WHERE tenant_id = ? AND message_pk = ? AND position = ?
