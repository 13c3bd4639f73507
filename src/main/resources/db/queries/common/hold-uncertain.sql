UPDATE queue
SET state = 'held', hold_reason = 'uncertain', lease_owner = NULL, in_data = 0, attempts = attempts + 1, crashes = 0
WHERE tenant_id = ? AND pk = ? AND lease_owner = ? AND lease_epoch = ?
