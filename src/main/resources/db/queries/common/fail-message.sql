UPDATE message SET failed = 1 WHERE tenant_id = ? AND pk = ?
