DELETE FROM rate_open WHERE node = ?
