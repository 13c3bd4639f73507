UPDATE queue SET state = 'due', hold_reason = NULL, due_at = ? WHERE tenant_id = ? AND pk = ? AND state = 'held'
