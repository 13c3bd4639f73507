SELECT m.pk, m.id, m.tenant_id, t.name AS tenant_name, m.account_id, m.priority, m.batch_code, m.created_at, m.payload,
       now_ms() AS now,
       (SELECT CAST(json_agg(json_build_object('account', q.account_pk, 'rule', q.rule_pk, 'due', q.due_at,
                                               'waits', CAST(q.state = 'due' AS integer))) AS text)
        FROM queue q WHERE q.tenant_id = :?tenant AND q.pk BETWEEN m.pk AND m.pk + 1023) AS deliveries,
       final.type AS final_type, final.at AS final_at, final.text AS final_text, final.reported_at,
       coalesce((SELECT max(e.at) FROM event e WHERE e.tenant_id = :?tenant AND e.message_pk = m.pk), m.created_at) AS updated_at,
       coalesce((SELECT CAST(json_agg(json_build_object('address', r.address, 'status', r.state, 'code', r.code,
                                            'enhanced', r.enhanced, 'reply', r.reply) ORDER BY r.position) AS text)
        FROM recipient r WHERE r.tenant_id = :?tenant AND r.message_pk = m.pk), '[]') AS recipients,
       CASE WHEN CAST(:?history AS integer) = 1 THEN
         coalesce((SELECT CAST(json_agg(json_build_object('pk', e.pk, 'type', e.type, 'at', e.at, 'text', e.text,
                                                 'data', CAST(e.data AS json), 'reported_at', e.reported_at) ORDER BY e.pk) AS text)
          FROM event e WHERE e.tenant_id = :?tenant AND e.message_pk = m.pk), '[]') END AS history
FROM message m
LEFT JOIN tenant t ON t.id = m.tenant_id
LEFT JOIN LATERAL (SELECT * FROM event e WHERE e.tenant_id = :?tenant AND e.message_pk = m.pk AND e.type IN ('sent', 'error')
  OFFSET 0) AS final ON true
WHERE m.tenant_id = :?tenant AND m.pk = ANY (ARRAY(SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:?keys AS json))))
ORDER BY m.priority, m.pk
