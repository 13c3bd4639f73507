INSERT INTO dump (tenant_id, account_id, throttle, batch_code, reason, upto, created_at)
VALUES (:?tenant, :?account, :?throttle, :?batch, :?reason, coalesce((SELECT max(pk) FROM message), 0), now_ms())
