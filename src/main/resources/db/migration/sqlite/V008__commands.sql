-- What was asked for through the API, by whom and with what result; secrets and mail are left out. caller: admin, or tenant
-- followed by its id.
CREATE TABLE command_log (
  id         INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  endpoint   TEXT NOT NULL,
  tenant_id  TEXT,
  caller     TEXT NOT NULL,
  address    TEXT NOT NULL,
  request_id TEXT NOT NULL,
  payload    TEXT NOT NULL,
  status     INTEGER NOT NULL
) STRICT;

-- Answers that are given again to a request with the same Idempotency-Key. body_hash: SHA-256 of the request's body.
CREATE TABLE answer (
  caller    TEXT NOT NULL,
  key       TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  body      TEXT NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX answer_at ON answer (at);
