-- As walk-messages, of one batch.
SELECT count(*) AS looked, max(pk) AS last, coalesce(CAST(json_agg(pk ORDER BY pk) AS text), '[]') AS keys
FROM (SELECT pk FROM message
      WHERE tenant_id = :?tenant AND batch_code = :?batch AND priority = :?priority AND pk > :?after AND pk <= :?upto
      ORDER BY pk
      LIMIT :?look) AS piece
