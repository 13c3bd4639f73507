-- Of a piece of one priority those that a filter lets through. stopped: lanes that stand still until a known time.
SELECT json_group_array(m.pk) AS keys
FROM json_each(:?keys) k
CROSS JOIN message m INDEXED BY message_order
  ON m.tenant_id = :?tenant AND m.priority = :?priority AND m.pk = k.value
WHERE (:?account IS NULL OR m.account_id = :?account)
  AND (:?batch IS NULL OR m.batch_code = :?batch)
  AND m.created_at BETWEEN :?since AND :?until
  AND (NOT :?active OR EXISTS (SELECT 1 FROM queue q WHERE q.pk BETWEEN m.pk AND m.pk + 1023))
  AND CASE :?status
    WHEN 'any' THEN 1
    WHEN 'error' THEN m.failed
    WHEN 'sent' THEN m.failed = 0 AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.pk BETWEEN m.pk AND m.pk + 1023)
    WHEN 'reported' THEN NOT EXISTS (SELECT 1 FROM queue q WHERE q.pk BETWEEN m.pk AND m.pk + 1023)
      AND (SELECT max(coalesce(e.reported_at, e.at)) <= :?before
             AND (:?listened = 0 OR count(*) FILTER (WHERE e.reported_at IS NULL AND e.type IN ('deferred', 'sent', 'error')) = 0)
           FROM event e WHERE e.message_pk = m.pk)
    ELSE (SELECT CASE
            WHEN count(*) = 0 THEN ''
            WHEN count(*) = count(*) FILTER (WHERE q.state = 'held') THEN 'held'
            WHEN count(*) FILTER (WHERE q.state = 'leased' OR q.state = 'due' AND q.due_at <= now_ms()
              AND q.account_pk || ' ' || q.rule_pk NOT IN (SELECT value FROM json_each(:?stopped))) > 0 THEN 'pending'
            ELSE 'deferred' END
          FROM queue q WHERE q.pk BETWEEN m.pk AND m.pk + 1023) = :?status
    END
  AND (:?recipient IS NULL OR EXISTS (SELECT 1 FROM recipient r
    WHERE r.message_pk = m.pk AND r.address = :?recipient COLLATE NOCASE))
