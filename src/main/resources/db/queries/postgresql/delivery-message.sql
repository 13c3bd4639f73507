SELECT q.message_pk, m.id, m.account_id
FROM queue q JOIN message m ON m.tenant_id = q.tenant_id AND m.pk = q.message_pk
WHERE q.tenant_id = ? AND q.pk = ? AND q.state <> 'leased'
FOR UPDATE OF q
