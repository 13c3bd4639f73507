SELECT count(DISTINCT message_pk) FROM queue
