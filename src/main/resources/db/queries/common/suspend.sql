INSERT INTO suspension (tenant_id, account_id, throttle, batch_code, reason, until_at, created_at)
VALUES (:?tenant, :?account, :?throttle, :?batch, :?reason, :?until, now_ms())
ON CONFLICT (tenant_id, coalesce(account_id, ''), coalesce(throttle, ''), coalesce(batch_code, '')) DO UPDATE SET
  reason = excluded.reason, until_at = excluded.until_at
