INSERT INTO tenant (id, created_at, updated_at) VALUES (:?id, now_ms(), now_ms())
ON CONFLICT (id) DO NOTHING
