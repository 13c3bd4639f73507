UPDATE recipient SET state = 'uncertain', changed_at = ?
WHERE tenant_id = ? AND message_pk = ? AND delivery_pk = ? AND state = 'pending'
