DELETE FROM queue
WHERE pk = ? AND lease_owner = ? AND lease_epoch = ?
