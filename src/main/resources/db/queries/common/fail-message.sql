UPDATE message SET failed = 1 WHERE pk = ?
