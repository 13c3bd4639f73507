INSERT INTO rate_bucket (account_pk, rule_pk, span, bucket, used) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account_pk, rule_pk, span, bucket) DO UPDATE SET used = rate_bucket.used + excluded.used
