DELETE FROM event WHERE message_pk IN (SELECT value FROM json_each(?)) AND +tenant_id = ?
