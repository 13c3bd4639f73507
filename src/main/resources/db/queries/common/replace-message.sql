UPDATE message
SET account_id = ?, priority = ?, batch_code = ?, deferred_ts = ?, payload = ?, trace_parent = ?
WHERE tenant_id = ? AND pk = ?
