-- What happened to accounts belongs to no message.
DELETE FROM event WHERE message_pk = 0 AND at <= :?before
