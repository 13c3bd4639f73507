-- The lanes that have due deliveries, each with its earliest time: from lane to lane along the index, however much stands in it. Only
-- the way from account to account looks at all partitions.
WITH RECURSIVE account (pk, tenant_id) AS (
  (SELECT q.account_pk, q.tenant_id FROM queue q WHERE q.state = 'due' ORDER BY q.account_pk LIMIT 1)
  UNION ALL
  SELECT next.account_pk, next.tenant_id
  FROM account
  CROSS JOIN LATERAL (SELECT q.account_pk, q.tenant_id FROM queue q
                      WHERE q.state = 'due' AND q.account_pk > account.pk
                      ORDER BY q.account_pk LIMIT 1) AS next
),
lane (tenant_id, account_pk, rule_pk) AS (
  SELECT account.tenant_id, account.pk,
         (SELECT min(q.rule_pk) FROM queue q
          WHERE q.tenant_id = account.tenant_id AND q.state = 'due' AND q.account_pk = account.pk)
  FROM account
  UNION ALL
  SELECT lane.tenant_id, lane.account_pk,
         (SELECT min(q.rule_pk) FROM queue q
          WHERE q.tenant_id = lane.tenant_id AND q.state = 'due' AND q.account_pk = lane.account_pk AND q.rule_pk > lane.rule_pk)
  FROM lane
  WHERE lane.rule_pk IS NOT NULL
)
SELECT lane.account_pk, lane.rule_pk, min(
  (SELECT min(q.due_at) FROM queue q
   WHERE q.tenant_id = lane.tenant_id AND q.account_pk = lane.account_pk AND q.rule_pk = lane.rule_pk AND q.state = 'due'
     AND q.priority = p.level)) AS due_at
FROM lane
CROSS JOIN (SELECT 0 AS level UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) p
WHERE lane.rule_pk IS NOT NULL
GROUP BY lane.account_pk, lane.rule_pk
