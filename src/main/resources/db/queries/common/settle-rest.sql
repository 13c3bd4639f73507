UPDATE recipient
SET state = ?, reply = CASE WHEN reply IS NULL THEN ? ELSE CAST(? AS TEXT) || ': ' || reply END, changed_at = ?
WHERE tenant_id = ? AND message_pk = ? AND delivery_pk = ? AND state IN ('pending', 'uncertain')
