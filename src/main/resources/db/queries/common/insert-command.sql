INSERT INTO command_log (at, endpoint, tenant_id, caller, address, request_id, payload, status)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
