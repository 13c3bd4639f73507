SELECT m.pk AS message_pk, q.pk, q.account_pk, q.rule_pk
FROM message m
LEFT JOIN queue q ON q.tenant_id = m.tenant_id AND q.pk BETWEEN m.pk AND m.pk + 1023 AND q.state = 'held' AND q.hold_reason = 'uncertain'
WHERE m.tenant_id = ? AND m.id = ?
