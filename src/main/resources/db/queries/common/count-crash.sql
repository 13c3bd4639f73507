UPDATE queue SET crashes = crashes + 1 WHERE pk = ? AND lease_owner = ?
