UPDATE queue
SET state = 'due', lease_owner = NULL, attempts = attempts + in_data, in_data = 0, due_at = ?
WHERE tenant_id = ? AND pk = ? AND lease_owner = ? AND lease_epoch = ?
