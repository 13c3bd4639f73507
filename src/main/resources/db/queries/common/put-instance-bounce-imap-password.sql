-- It belongs to no tenant.
UPDATE instance SET bounce_imap_password = ? WHERE ? = '' AND id = CAST(? AS INTEGER)
