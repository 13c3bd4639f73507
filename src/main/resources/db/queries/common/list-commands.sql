SELECT id, at, endpoint, tenant_id, caller, address, request_id, payload, status
FROM command_log
WHERE id > :?after
  AND (:?tenant IS NULL OR tenant_id = :?tenant)
  AND (:?since IS NULL OR at >= :?since)
  AND (:?until IS NULL OR at <= :?until)
  AND (:?endpoint IS NULL OR instr(lower(endpoint), lower(:?endpoint)) > 0)
ORDER BY id
LIMIT :?limit
