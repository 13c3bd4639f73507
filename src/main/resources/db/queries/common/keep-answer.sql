INSERT INTO answer (caller, key, body_hash, body, at)
VALUES (:?caller, :?key, :?hash, :?answer, now_ms())
ON CONFLICT (caller, key) DO UPDATE SET body_hash = excluded.body_hash, body = excluded.body, at = excluded.at
