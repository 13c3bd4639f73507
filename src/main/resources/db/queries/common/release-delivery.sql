UPDATE queue
SET state = 'due', lease_owner = NULL, attempts = attempts + in_data, in_data = 0, due_at = ?
WHERE pk = ? AND lease_owner = ? AND lease_epoch = ?
