SELECT DISTINCT account_pk, rule_pk FROM rate_bucket
