UPDATE queue SET state = 'due', hold_reason = NULL WHERE tenant_id = ? AND pk = ? AND state = 'held' AND hold_reason = 'manual'
