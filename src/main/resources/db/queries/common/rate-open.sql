SELECT coalesce(sum(open), 0) FROM rate_open WHERE account_pk = ? AND rule_pk = ?
