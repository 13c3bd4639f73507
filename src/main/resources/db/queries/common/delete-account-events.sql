-- What happened to its accounts belongs to no message.
DELETE FROM event WHERE message_pk = 0 AND tenant_id = :?tenant
