SELECT id, at, endpoint, tenant_id, caller, address, request_id, payload, status
FROM command_log
WHERE id > :?after
  AND (CAST(:?tenant AS TEXT) IS NULL OR tenant_id = :?tenant)
  AND (CAST(:?since AS BIGINT) IS NULL OR at >= :?since)
  AND (CAST(:?until AS BIGINT) IS NULL OR at <= :?until)
  AND (CAST(:?endpoint AS TEXT) IS NULL OR replace(lower(endpoint), lower(CAST(:?endpoint AS TEXT)), '') <> lower(endpoint))
ORDER BY id
LIMIT :?limit
