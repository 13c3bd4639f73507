SELECT account_pk, rule_pk, min(due_at) AS due_at
FROM queue
WHERE state = 'due'
GROUP BY account_pk, rule_pk
