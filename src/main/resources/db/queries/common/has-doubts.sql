SELECT EXISTS (SELECT 1 FROM recipient WHERE tenant_id = ? AND message_pk = ? AND delivery_pk = ? AND state = 'uncertain')
