DELETE FROM recipient WHERE tenant_id = ? AND message_pk = ?
