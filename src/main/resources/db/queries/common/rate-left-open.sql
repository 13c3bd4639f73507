SELECT account_pk, rule_pk, sum(open) AS open FROM rate_open WHERE node = ? GROUP BY account_pk, rule_pk HAVING sum(open) > 0
