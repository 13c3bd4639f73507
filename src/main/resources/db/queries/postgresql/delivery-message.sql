SELECT q.message_pk, m.tenant_id, m.id, m.account_id
FROM queue q JOIN message m ON m.pk = q.message_pk
WHERE q.pk = ? AND q.state <> 'leased'
FOR UPDATE OF q
