-- As walk-messages, of those that ended with an error.
SELECT count(*) AS looked, max(pk) AS last, json_group_array(pk) AS keys
FROM (SELECT pk FROM message INDEXED BY message_failed
      WHERE tenant_id = :?tenant AND priority = :?priority AND pk > :?after AND pk <= :?upto AND failed = 1
      ORDER BY pk
      LIMIT :?look)
