INSERT INTO rate_open (account_pk, rule_pk, node, open) VALUES (?, ?, ?, ?)
ON CONFLICT (account_pk, rule_pk, node) DO UPDATE SET open = rate_open.open + excluded.open
