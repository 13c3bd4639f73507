SELECT m.payload, m.trace_parent,
       coalesce((SELECT CAST(json_agg(json_build_object('position', r.position, 'address', r.address) ORDER BY r.position) AS text)
        FROM recipient r
        WHERE r.tenant_id = :?tenant AND r.message_pk = m.pk AND r.delivery_pk = :?delivery AND r.state = 'pending'), '[]') AS recipients
FROM message m
WHERE m.tenant_id = :?tenant AND m.pk = :?message
