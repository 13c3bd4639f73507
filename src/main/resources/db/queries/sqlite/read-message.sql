SELECT m.payload, m.trace_parent,
       (SELECT json_group_array(json_object('position', r.position, 'address', r.address))
        FROM recipient r
        WHERE r.message_pk = m.pk AND r.delivery_pk = :?delivery AND r.state = 'pending') AS recipients
FROM message m
WHERE m.pk = :?message
