-- The others end after the overlap, or sooner where they would anyhow.
UPDATE tenant_key
SET expires_at = min(coalesce(expires_at, now_ms() + :?overlap), now_ms() + :?overlap)
WHERE tenant_id = :?tenant AND hash <> :?hash
