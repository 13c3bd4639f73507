UPDATE queue SET in_data = 1
WHERE pk = ? AND state = 'leased' AND lease_owner = ? AND lease_epoch = ?
