-- Times are Unix milliseconds of the database's clock, now_ms(), unless a column's name ends in _ts (Unix seconds).
-- Keys of messages, deliveries and events come from queue.Ids: they grow with time.

CREATE TABLE tenant (
  id                     TEXT PRIMARY KEY,
  name                   TEXT,
  client_auth            TEXT,
  client_base_url        TEXT,
  client_sync_path       TEXT,
  client_attachment_path TEXT,
  rate_limits            TEXT,
  large_file_config      TEXT,
  active                 INTEGER NOT NULL DEFAULT 1,
  created_at             INTEGER NOT NULL,
  updated_at             INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A key is never used again (AUTOINCREMENT): deliveries of a deleted account must not meet its successor.
CREATE TABLE account (
  pk                          INTEGER PRIMARY KEY AUTOINCREMENT,
  revision                    INTEGER NOT NULL DEFAULT 1,
  tenant_id                   TEXT NOT NULL,
  id                          TEXT NOT NULL,
  type                        TEXT NOT NULL,
  host                        TEXT NOT NULL,
  port                        INTEGER NOT NULL,
  user                        TEXT,
  password                    TEXT,
  use_tls                     INTEGER,
  ttl                         INTEGER NOT NULL,
  batch_size                  INTEGER,
  limit_per_second            INTEGER,
  limit_per_minute            INTEGER,
  limit_per_hour              INTEGER,
  limit_per_day               INTEGER,
  limit_behavior              TEXT NOT NULL,
  max_connections             INTEGER NOT NULL,
  max_messages_per_connection INTEGER NOT NULL,
  local_address               TEXT,
  tls_ca                      TEXT,
  is_pec_account              INTEGER NOT NULL DEFAULT 0,
  imap_host                   TEXT,
  imap_port                   INTEGER NOT NULL DEFAULT 993,
  imap_user                   TEXT,
  imap_password               TEXT,
  created_at                  INTEGER NOT NULL,
  updated_at                  INTEGER NOT NULL,
  UNIQUE (tenant_id, id)
) STRICT;

-- Wide, written once. A message is pending while it has rows in queue.
CREATE TABLE message (
  pk          INTEGER PRIMARY KEY,
  tenant_id   TEXT NOT NULL,
  id          TEXT NOT NULL,
  account_id  TEXT NOT NULL,
  priority    INTEGER NOT NULL,
  batch_code  TEXT,
  deferred_ts INTEGER,
  created_at  INTEGER NOT NULL,
  payload     TEXT NOT NULL,
  UNIQUE (tenant_id, id)
) STRICT;

-- Narrow, updated often: the deliveries still to be made. pk = message_pk + number of the delivery in its message.
-- state: due (may be claimed from due_at on), leased (to lease_owner, under lease_epoch).
-- in_data: the attempt under way may have reached the relay; without a result it is uncertain.
CREATE TABLE queue (
  pk          INTEGER PRIMARY KEY,
  message_pk  INTEGER NOT NULL,
  account_pk  INTEGER NOT NULL,
  state       TEXT NOT NULL,
  priority    INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  in_data     INTEGER NOT NULL DEFAULT 0,
  lease_owner INTEGER,
  lease_epoch INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  bytes       INTEGER NOT NULL
) STRICT;

CREATE INDEX queue_due ON queue (account_pk, priority, due_at) WHERE state = 'due';

-- state: pending, sent, failed.
CREATE TABLE recipient (
  message_pk  INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  delivery_pk INTEGER NOT NULL,
  address     TEXT NOT NULL,
  state       TEXT NOT NULL,
  code        INTEGER,
  enhanced    TEXT,
  reply       TEXT,
  changed_at  INTEGER NOT NULL,
  PRIMARY KEY (message_pk, position)
) STRICT, WITHOUT ROWID;

-- What happened to a message, written with the change it tells of. type: deferred, sent, error (these are
-- reported), uncertain, late.
CREATE TABLE event (
  pk          INTEGER PRIMARY KEY,
  message_pk  INTEGER NOT NULL,
  tenant_id   TEXT NOT NULL,
  type        TEXT NOT NULL,
  at          INTEGER NOT NULL,
  text        TEXT,
  data        TEXT NOT NULL,
  reported_at INTEGER
) STRICT;

CREATE INDEX event_message ON event (message_pk);
CREATE INDEX event_unreported ON event (tenant_id, pk)
  WHERE reported_at IS NULL AND type IN ('deferred', 'sent', 'error');
