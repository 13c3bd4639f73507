SELECT m.pk, m.id, m.tenant_id, t.name AS tenant_name, m.account_id, m.priority, m.batch_code, m.created_at, m.payload,
       now_ms() AS now,
       final.type AS final_type, final.at AS final_at, final.text AS final_text, final.reported_at,
       coalesce((SELECT max(e.at) FROM event e WHERE e.message_pk = m.pk), m.created_at) AS updated_at,
       (SELECT json_group_array(json_object('address', r.address, 'status', r.state, 'code', r.code,
                                            'enhanced', r.enhanced, 'reply', r.reply))
        FROM recipient r WHERE r.message_pk = m.pk) AS recipients,
       (SELECT json_group_array(json_object('pk', e.pk, 'type', e.type, 'at', e.at, 'text', e.text,
                                            'data', json(e.data), 'reported_at', e.reported_at,
                                            'tried', e.tried))
        FROM (SELECT * FROM event WHERE message_pk = m.pk ORDER BY pk) e) AS history,
       (SELECT nullif(json_group_array(json_object('pk', q.pk, 'account', q.account_pk, 'rule', q.rule_pk, 'state', q.state,
                                                   'due', q.due_at, 'waits', q.state = 'due', 'attempts', q.attempts,
                                                   'hold_reason', q.hold_reason, 'accepted', q.accepted_at,
                                                   'expires', q.expires_at)), '[]')
        FROM (SELECT * FROM queue WHERE pk BETWEEN m.pk AND m.pk + 1023 ORDER BY due_at, pk) q) AS deliveries
FROM message m
LEFT JOIN tenant t ON t.id = m.tenant_id
LEFT JOIN event final ON final.message_pk = m.pk AND final.type IN ('sent', 'error')
WHERE m.tenant_id = :?tenant AND m.id = :?id
