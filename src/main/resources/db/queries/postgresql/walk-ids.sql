-- As walk-messages, of those with these ids.
SELECT count(*) AS looked, max(pk) AS last, coalesce(CAST(json_agg(pk ORDER BY pk) AS text), '[]') AS keys
FROM (SELECT pk FROM message
      WHERE tenant_id = :?tenant AND id IN (SELECT value FROM json_array_elements_text(CAST(:?ids AS json)))
        AND priority = :?priority AND pk > :?after AND pk <= :?upto
      ORDER BY pk
      LIMIT :?look) AS piece
