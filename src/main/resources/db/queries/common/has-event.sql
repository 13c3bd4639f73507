SELECT EXISTS (SELECT 1 FROM event WHERE tenant_id = ? AND message_pk = ? AND pk = ?)
