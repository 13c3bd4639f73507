INSERT INTO recipient (tenant_id, message_pk, position, delivery_pk, address, state, changed_at)
VALUES (?, ?, ?, ?, ?, 'pending', ?)
