DELETE FROM recipient WHERE message_pk IN (SELECT value FROM json_each(?)) AND +tenant_id = ?
