UPDATE queue SET state = 'due', lease_owner = NULL, due_at = ?
WHERE pk = ? AND state = 'leased' AND lease_owner = ? AND lease_epoch = ?
