-- It belongs to no tenant.
UPDATE instance SET bounce_imap_password = ? WHERE CAST(? AS TEXT) = '' AND id = CAST(? AS INTEGER)
