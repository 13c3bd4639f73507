-- Whose an account was that is gone, while mail of it waits; ordered as the index is.
SELECT tenant_id FROM queue WHERE account_pk = ? AND state = 'due' ORDER BY rule_pk, priority, due_at, pk LIMIT 1
