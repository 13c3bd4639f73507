SELECT q.pk, q.message_pk, m.tenant_id
FROM queue q JOIN message m ON m.pk = q.message_pk
WHERE q.state = 'leased' AND q.in_data = 1
