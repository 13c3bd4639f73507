SELECT q.pk, q.message_pk, q.lease_owner, q.lease_epoch, q.tenant_id, m.payload, a.on_uncertain
FROM queue q
JOIN message m ON m.tenant_id = q.tenant_id AND m.pk = q.message_pk
LEFT JOIN account a ON a.pk = q.account_pk
WHERE q.state = 'leased' AND q.lease_owner = ? AND q.in_data = 1
