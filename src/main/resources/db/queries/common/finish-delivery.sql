DELETE FROM queue
WHERE pk = ? AND state = 'leased' AND lease_owner = ? AND lease_epoch = ?
