INSERT INTO message (pk, tenant_id, id, account_id, priority, batch_code, deferred_ts, created_at, payload, trace_parent)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, id) DO NOTHING
