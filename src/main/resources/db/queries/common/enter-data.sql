UPDATE queue SET in_data = 1
WHERE tenant_id = ? AND pk = ? AND lease_owner = ? AND lease_epoch = ?
