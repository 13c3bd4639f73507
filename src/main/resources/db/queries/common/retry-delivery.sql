UPDATE queue SET state = 'due', hold_reason = NULL, crashes = 0, due_at = ? WHERE tenant_id = ? AND pk = ? AND state <> 'leased'
