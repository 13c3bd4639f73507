-- As walk-messages, of those that ended with an error.
SELECT count(*) AS looked, max(pk) AS last, coalesce(CAST(json_agg(pk ORDER BY pk) AS text), '[]') AS keys
FROM (SELECT pk FROM message
      WHERE tenant_id = :?tenant AND priority = :?priority AND pk > :?after AND pk <= :?upto AND failed = 1
      ORDER BY pk
      LIMIT :?look) AS piece
