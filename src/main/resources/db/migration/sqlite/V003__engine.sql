-- A lane is an account and a throttle rule; rule 0 stands for all domains that no rule names.
-- state: due (may be claimed from due_at on), leased (to lease_owner, under lease_epoch), held (waits for a command or for the
-- end of a suspension; hold_reason says why).
-- expires_at: given up from then on; NULL: message.max-age-seconds after accepted_at.
-- crashes: how often a process ended while it worked on this delivery.
ALTER TABLE queue ADD COLUMN rule_pk INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN batch_code TEXT;
ALTER TABLE queue ADD COLUMN expires_at INTEGER;
ALTER TABLE queue ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN hold_reason TEXT;

DROP INDEX queue_due;
CREATE INDEX queue_due ON queue (account_pk, rule_pk, priority, due_at) WHERE state = 'due';
CREATE INDEX queue_batch ON queue (batch_code, account_pk) WHERE batch_code IS NOT NULL;
CREATE INDEX queue_held ON queue (account_pk, rule_pk) WHERE state = 'held';
CREATE INDEX queue_expiry ON queue (expires_at) WHERE expires_at IS NOT NULL;

ALTER TABLE account ADD COLUMN failover_account_id TEXT;
ALTER TABLE account ADD COLUMN on_uncertain TEXT NOT NULL DEFAULT 'retry';

-- Limits for recipient domains, the first match by position wins. domains: a JSON array of names and *.names.
CREATE TABLE throttle_rule (
  pk                INTEGER PRIMARY KEY AUTOINCREMENT,
  position          INTEGER NOT NULL,
  name              TEXT NOT NULL UNIQUE,
  domains           TEXT NOT NULL,
  max_connections   INTEGER,
  messages_per_hour INTEGER
) STRICT;

-- Who is not to be sent for now; a column that is NULL stands for all. until_at NULL: until it is activated.
CREATE TABLE suspension (
  pk         INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id  TEXT,
  account_id TEXT,
  throttle   TEXT,
  batch_code TEXT,
  reason     TEXT,
  until_at   INTEGER,
  created_at INTEGER NOT NULL
) STRICT;

-- Sliding windows. A permit is open from its reservation to the end of its transaction, then it counts in the bucket in which
-- that end was booked. rule_pk 0: the account over all its lanes; else one lane. span: seconds of the window.
CREATE TABLE rate_open (
  account_pk INTEGER NOT NULL,
  rule_pk    INTEGER NOT NULL,
  node       INTEGER NOT NULL,
  open       INTEGER NOT NULL,
  PRIMARY KEY (account_pk, rule_pk, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE rate_bucket (
  account_pk INTEGER NOT NULL,
  rule_pk    INTEGER NOT NULL,
  span       INTEGER NOT NULL,
  bucket     INTEGER NOT NULL,
  used       INTEGER NOT NULL,
  PRIMARY KEY (account_pk, rule_pk, span, bucket)
) STRICT, WITHOUT ROWID;
