UPDATE account SET imap_password = ? WHERE tenant_id = ? AND id = ?
