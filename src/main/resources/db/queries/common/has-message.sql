SELECT EXISTS (SELECT 1 FROM message WHERE tenant_id = ? AND pk = ?)
