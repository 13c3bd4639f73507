-- The lanes that have due deliveries, each with its earliest time: from lane to lane along the index, however much stands in it.
WITH RECURSIVE account (pk) AS (
  SELECT min(account_pk) FROM queue WHERE state = 'due'
  UNION ALL
  SELECT (SELECT min(q.account_pk) FROM queue q WHERE q.state = 'due' AND q.account_pk > account.pk)
  FROM account
  WHERE account.pk IS NOT NULL
),
lane (account_pk, rule_pk) AS (
  SELECT account.pk, (SELECT min(q.rule_pk) FROM queue q WHERE q.state = 'due' AND q.account_pk = account.pk)
  FROM account
  UNION ALL
  SELECT lane.account_pk, (SELECT min(q.rule_pk) FROM queue q
                           WHERE q.state = 'due' AND q.account_pk = lane.account_pk AND q.rule_pk > lane.rule_pk)
  FROM lane
  WHERE lane.rule_pk IS NOT NULL
)
SELECT lane.account_pk, lane.rule_pk, min(
  (SELECT min(q.due_at) FROM queue q
   WHERE q.account_pk = lane.account_pk AND q.rule_pk = lane.rule_pk AND q.state = 'due' AND q.priority = p.level)) AS due_at
FROM lane
CROSS JOIN (SELECT 0 AS level UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) p
WHERE lane.rule_pk IS NOT NULL
GROUP BY lane.account_pk, lane.rule_pk
