-- A piece of one priority: how many messages it has, the last of them, and their keys.
SELECT count(*) AS looked, max(pk) AS last, coalesce(CAST(json_agg(pk ORDER BY pk) AS text), '[]') AS keys
FROM (SELECT pk FROM message
      WHERE tenant_id = :?tenant AND priority = :?priority AND pk > :?after AND pk <= :?upto
      ORDER BY pk
      LIMIT :?look) AS piece
