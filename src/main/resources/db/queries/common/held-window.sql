SELECT pk, account_pk, rule_pk, batch_code, due_at
FROM queue
WHERE state = 'held' AND hold_reason = 'suspended' AND pk > :?after
ORDER BY pk
LIMIT :?piece
