UPDATE queue SET crashes = crashes + 1 WHERE pk = ? AND state = 'leased' AND lease_owner = ?
