-- From here on account.password, account.imap_password and tenant.client_auth hold sealed values only (secret.Keyring).
-- state says how far what was there before is: plain (as it stood), sealed (in place, but free pages may hold the plain text),
-- clean. One row. Where there never was an account or a tenant, nothing is to be done.
CREATE TABLE secret_storage (
  state TEXT NOT NULL
) STRICT;

INSERT INTO secret_storage (state)
SELECT CASE WHEN EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'account') OR EXISTS (SELECT 1 FROM tenant)
  THEN 'plain' ELSE 'clean' END;
