DELETE FROM message WHERE pk IN (SELECT value FROM json_each(?)) AND +tenant_id = ?
