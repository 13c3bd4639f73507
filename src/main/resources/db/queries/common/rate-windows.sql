SELECT account_pk, 0 AS span, 0 AS bucket, sum(open) AS used FROM rate_open WHERE rule_pk = 0 GROUP BY account_pk
UNION ALL
SELECT account_pk, span, bucket, used FROM rate_bucket WHERE rule_pk = 0
