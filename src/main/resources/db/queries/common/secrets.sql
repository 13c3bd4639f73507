-- Every sealed value and where it stands, as secret.Place has it.
SELECT 'account' AS owner, tenant_id, id AS row_id, 'password' AS place, password AS value
FROM account WHERE password IS NOT NULL
UNION ALL
SELECT 'account', tenant_id, id, 'imap_password', imap_password FROM account WHERE imap_password IS NOT NULL
UNION ALL
SELECT 'tenant', id, id, 'client_auth', client_auth FROM tenant WHERE client_auth IS NOT NULL
UNION ALL
SELECT 'instance', '', '1', 'bounce_imap_password', bounce_imap_password FROM instance WHERE bounce_imap_password IS NOT NULL
