DELETE FROM queue
WHERE tenant_id = ? AND pk = ? AND lease_owner = ? AND lease_epoch = ?
