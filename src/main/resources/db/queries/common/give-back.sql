UPDATE queue SET state = 'due', lease_owner = NULL, in_data = 0
WHERE pk = ? AND lease_owner = ? AND lease_epoch = ?
