-- What tenants' tokens hash to (SHA-256, hexadecimal). Several hold at a time while one is replaced.
CREATE TABLE tenant_key (
  hash       TEXT PRIMARY KEY,
  tenant_id  TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;

-- 1 is a tenant that was never changed since it was added.
ALTER TABLE tenant ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
