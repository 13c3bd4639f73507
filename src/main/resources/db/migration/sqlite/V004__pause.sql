-- Orders to drop what waits: one holds for messages up to key upto; a column that is NULL stands for all.
CREATE TABLE dump (
  pk         INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id  TEXT NOT NULL,
  account_id TEXT,
  throttle   TEXT,
  batch_code TEXT,
  reason     TEXT,
  upto       INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- The same order again changes its reason and its end.
CREATE UNIQUE INDEX suspension_scope ON suspension
  (tenant_id, coalesce(account_id, ''), coalesce(throttle, ''), coalesce(batch_code, ''));

-- hold_reason: suspended (its batch), uncertain (the relay may have it, somebody must say), poison (it ended several processes).
-- Further states of a recipient: expired, cancelled; uncertain while its delivery waits for somebody to say.
DROP INDEX queue_held;
CREATE INDEX queue_held ON queue (hold_reason) WHERE state = 'held';
CREATE INDEX queue_batch_due ON queue (batch_code, account_pk, rule_pk) WHERE state = 'due' AND batch_code IS NOT NULL;
