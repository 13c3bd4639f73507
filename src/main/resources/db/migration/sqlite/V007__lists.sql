-- failed: 1 since its last recipient was final and not all of them had the mail; only errors pay for writing it.
ALTER TABLE message ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
UPDATE message SET failed = 1 WHERE pk IN (SELECT message_pk FROM event WHERE type = 'error');

-- The order of lists, with all that filters ask of a message itself: walking it reads no wide row. New rows come at the ends of
-- their priorities, so that an insert dirties pages that are in the cache.
CREATE INDEX message_order ON message (tenant_id, priority, pk, account_id, batch_code, created_at, failed);
CREATE INDEX message_failed ON message (tenant_id, priority, pk) WHERE failed = 1;
CREATE INDEX message_batch ON message (tenant_id, batch_code, priority, pk) WHERE batch_code IS NOT NULL;

-- What this installation signs with, in hexadecimal; made once. cursor: places in lists.
CREATE TABLE service_key (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO service_key (name, value) VALUES ('cursor', lower(hex(randomblob(32))));

-- A further hold_reason in table queue: manual (held by hand, until it is released).
