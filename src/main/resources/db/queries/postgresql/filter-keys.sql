-- Of a piece of one priority those that a filter lets through. stopped: lanes that stand still until a known time.
SELECT coalesce(CAST(json_agg(m.pk ORDER BY m.pk) AS text), '[]') AS keys
FROM message m
WHERE m.pk IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:?keys AS json)))
  AND m.tenant_id = :?tenant AND m.priority = :?priority
  AND (CAST(:?account AS text) IS NULL OR m.account_id = :?account)
  AND (CAST(:?batch AS text) IS NULL OR m.batch_code = :?batch)
  AND m.created_at BETWEEN :?since AND :?until
  AND (CAST(:?active AS integer) = 0 OR EXISTS (SELECT 1 FROM queue q WHERE q.tenant_id = :?tenant AND q.pk BETWEEN m.pk AND m.pk + 1023))
  AND CASE CAST(:?status AS text)
    WHEN 'any' THEN true
    WHEN 'error' THEN m.failed = 1
    WHEN 'sent' THEN m.failed = 0 AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.tenant_id = :?tenant AND q.pk BETWEEN m.pk AND m.pk + 1023)
    WHEN 'reported' THEN NOT EXISTS (SELECT 1 FROM queue q WHERE q.tenant_id = :?tenant AND q.pk BETWEEN m.pk AND m.pk + 1023)
      AND (SELECT max(coalesce(e.reported_at, e.at)) <= :?before
             AND (:?listened = 0 OR count(*) FILTER (WHERE e.reported_at IS NULL AND e.type IN ('deferred', 'sent', 'error')) = 0)
           FROM event e WHERE e.tenant_id = :?tenant AND e.message_pk = m.pk)
    ELSE (SELECT CASE
            WHEN count(*) = 0 THEN ''
            WHEN count(*) = count(*) FILTER (WHERE q.state = 'held') THEN 'held'
            WHEN count(*) FILTER (WHERE q.state = 'leased' OR q.state = 'due' AND q.due_at <= now_ms()
              AND q.account_pk || ' ' || q.rule_pk NOT IN (
                SELECT value FROM json_array_elements_text(CAST(:?stopped AS json)))) > 0 THEN 'pending'
            ELSE 'deferred' END
          FROM queue q WHERE q.tenant_id = :?tenant AND q.pk BETWEEN m.pk AND m.pk + 1023) = :?status
    END
  AND (CAST(:?recipient AS text) IS NULL OR EXISTS (SELECT 1 FROM recipient r
    WHERE r.tenant_id = :?tenant AND r.message_pk = m.pk AND lower(r.address) = lower(CAST(:?recipient AS text))))
