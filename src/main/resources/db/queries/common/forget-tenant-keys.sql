-- Tokens that have ended; one without an end has NULL here.
DELETE FROM tenant_key WHERE expires_at <= now_ms()
