UPDATE queue SET state = 'due', hold_reason = NULL, due_at = ? WHERE pk = ? AND state = 'held'
