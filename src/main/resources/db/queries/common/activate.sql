DELETE FROM suspension
WHERE tenant_id = :?tenant
  AND (:?account IS NULL OR account_id = :?account)
  AND (:?throttle IS NULL OR throttle = :?throttle)
  AND (:?batch IS NULL OR batch_code = :?batch)
