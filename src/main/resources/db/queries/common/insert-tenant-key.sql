INSERT INTO tenant_key (hash, tenant_id, created_at, expires_at)
VALUES (:?hash, :?tenant, now_ms(), :?expires)
