SELECT m.pk, m.id, m.tenant_id, t.name AS tenant_name, m.account_id, m.priority, m.batch_code, m.created_at, m.payload,
       now_ms() AS now,
       final.type AS final_type, final.at AS final_at, final.text AS final_text, final.reported_at,
       coalesce((SELECT max(e.at) FROM event e WHERE e.tenant_id = :?tenant AND e.message_pk = m.pk), m.created_at) AS updated_at,
       coalesce((SELECT CAST(json_agg(json_build_object('address', r.address, 'status', r.state, 'code', r.code,
                                            'enhanced', r.enhanced, 'reply', r.reply) ORDER BY r.position) AS text)
        FROM recipient r WHERE r.tenant_id = :?tenant AND r.message_pk = m.pk), '[]') AS recipients,
       coalesce((SELECT CAST(json_agg(json_build_object('pk', e.pk, 'type', e.type, 'at', e.at, 'text', e.text,
                                               'data', CAST(e.data AS json), 'reported_at', e.reported_at,
                                               'tried', e.tried) ORDER BY e.pk) AS text)
        FROM event e WHERE e.tenant_id = :?tenant AND e.message_pk = m.pk), '[]') AS history,
       (SELECT CAST(json_agg(json_build_object('pk', q.pk, 'account', q.account_pk, 'rule', q.rule_pk, 'state', q.state,
                                               'due', q.due_at, 'waits', CAST(q.state = 'due' AS integer),
                                               'attempts', q.attempts, 'hold_reason', q.hold_reason,
                                               'accepted', q.accepted_at, 'expires', q.expires_at)
                             ORDER BY q.due_at, q.pk) AS text)
        FROM queue q WHERE q.tenant_id = :?tenant AND q.pk BETWEEN m.pk AND m.pk + 1023) AS deliveries
FROM message m
LEFT JOIN tenant t ON t.id = m.tenant_id
LEFT JOIN event final ON final.tenant_id = :?tenant AND final.message_pk = m.pk AND final.type IN ('sent', 'error')
WHERE m.tenant_id = :?tenant AND m.id = :?id
