SELECT min(due_at) AS due_at FROM (
  SELECT (SELECT min(q.due_at) FROM queue q WHERE q.account_pk = a.pk AND q.state = 'due' AND q.priority = p.level) AS due_at
  FROM account a
  CROSS JOIN (SELECT 0 AS level UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) p
) AS earliest
