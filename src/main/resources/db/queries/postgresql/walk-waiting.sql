-- As walk-messages, of those that wait: for a queue that is short, whosever messages stand in it.
SELECT count(*) AS looked, max(pk) AS last, coalesce(CAST(json_agg(pk ORDER BY pk) AS text), '[]') AS keys
FROM (SELECT m.pk
      FROM (SELECT DISTINCT message_pk FROM queue WHERE tenant_id = :?tenant AND priority = :?priority AND message_pk > :?after) q
      JOIN message m ON m.pk = q.message_pk
      WHERE m.tenant_id = :?tenant AND m.pk <= :?upto
      ORDER BY m.pk
      LIMIT :?look) AS piece
