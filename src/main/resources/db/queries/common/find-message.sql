SELECT m.pk, m.payload,
       q.accepted_at, q.state, q.attempts, q.in_data, q.hold_reason
FROM message m
LEFT JOIN queue q ON q.tenant_id = m.tenant_id AND q.pk BETWEEN m.pk AND m.pk + 1023
WHERE m.tenant_id = ? AND m.id = ?
