-- As walk-messages, of those with these ids.
SELECT count(*) AS looked, max(pk) AS last, json_group_array(pk) AS keys
FROM (SELECT pk FROM message
      WHERE tenant_id = :?tenant AND id IN (SELECT value FROM json_each(:?ids))
        AND priority = :?priority AND pk > :?after AND pk <= :?upto
      ORDER BY pk
      LIMIT :?look)
