UPDATE account SET password = ? WHERE tenant_id = ? AND id = ?
