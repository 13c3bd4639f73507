SELECT min(due_at) AS due_at FROM (
  SELECT min(due_at) AS due_at FROM queue WHERE tenant_id = :?tenant AND account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 0
  UNION ALL
  SELECT min(due_at) AS due_at FROM queue WHERE tenant_id = :?tenant AND account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 1
  UNION ALL
  SELECT min(due_at) AS due_at FROM queue WHERE tenant_id = :?tenant AND account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 2
  UNION ALL
  SELECT min(due_at) AS due_at FROM queue WHERE tenant_id = :?tenant AND account_pk = :?account AND rule_pk = :?rule AND state = 'due' AND priority = 3
) AS earliest
