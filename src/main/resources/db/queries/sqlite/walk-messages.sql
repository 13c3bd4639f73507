-- A piece of one priority: how many messages it has, the last of them, and their keys.
SELECT count(*) AS looked, max(pk) AS last, json_group_array(pk) AS keys
FROM (SELECT pk FROM message INDEXED BY message_order
      WHERE tenant_id = :?tenant AND priority = :?priority AND pk > :?after AND pk <= :?upto
      ORDER BY pk
      LIMIT :?look)
