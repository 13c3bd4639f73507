SELECT span, bucket, used FROM rate_bucket WHERE account_pk = ? AND rule_pk = ?
