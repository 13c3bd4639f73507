-- Settings of the installation that the API changes; one row.
CREATE TABLE instance (
  id                   INTEGER PRIMARY KEY CHECK (id = 1),
  name                 TEXT,
  bounce_enabled       INTEGER NOT NULL DEFAULT 0,
  bounce_imap_host     TEXT,
  bounce_imap_port     INTEGER NOT NULL DEFAULT 993,
  bounce_imap_user     TEXT,
  bounce_imap_password TEXT,
  bounce_imap_folder   TEXT NOT NULL DEFAULT 'INBOX',
  bounce_imap_ssl      INTEGER NOT NULL DEFAULT 1,
  bounce_poll_interval INTEGER NOT NULL DEFAULT 60,
  bounce_return_path   TEXT,
  created_at           INTEGER NOT NULL,
  updated_at           INTEGER NOT NULL
) STRICT;

INSERT INTO instance (id, created_at, updated_at) VALUES (1, now_ms(), now_ms());
