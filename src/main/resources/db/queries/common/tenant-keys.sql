SELECT hash, tenant_id, expires_at FROM tenant_key WHERE expires_at IS NULL OR expires_at > now_ms()
