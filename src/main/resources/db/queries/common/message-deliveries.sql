SELECT pk, state, hold_reason, account_pk, rule_pk, due_at
FROM queue
WHERE tenant_id = ? AND pk BETWEEN ? AND ? + 1023
ORDER BY pk
