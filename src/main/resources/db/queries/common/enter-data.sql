UPDATE queue SET in_data = 1
WHERE pk = ? AND lease_owner = ? AND lease_epoch = ?
