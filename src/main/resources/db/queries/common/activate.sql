DELETE FROM suspension
WHERE tenant_id = :?tenant
  AND (CAST(:?account AS TEXT) IS NULL OR account_id = :?account)
  AND (CAST(:?throttle AS TEXT) IS NULL OR throttle = :?throttle)
  AND (CAST(:?batch AS TEXT) IS NULL OR batch_code = :?batch)
