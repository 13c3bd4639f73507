UPDATE queue SET state = 'due', lease_owner = NULL, in_data = 0
WHERE tenant_id = ? AND pk = ? AND lease_owner = ? AND lease_epoch = ?
