-- As walk-messages, of one batch.
SELECT count(*) AS looked, max(pk) AS last, json_group_array(pk) AS keys
FROM (SELECT pk FROM message INDEXED BY message_batch
      WHERE tenant_id = :?tenant AND batch_code = :?batch AND priority = :?priority AND pk > :?after AND pk <= :?upto
      ORDER BY pk
      LIMIT :?look)
