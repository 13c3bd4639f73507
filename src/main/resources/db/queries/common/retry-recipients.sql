UPDATE recipient SET state = 'pending', changed_at = ? WHERE tenant_id = ? AND message_pk = ? AND delivery_pk = ? AND state = 'uncertain'
