INSERT INTO event (pk, message_pk, tenant_id, type, at, text, data)
VALUES (?, ?, ?, ?, ?, ?, ?)
