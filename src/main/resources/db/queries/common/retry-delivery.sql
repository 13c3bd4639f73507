UPDATE queue SET state = 'due', hold_reason = NULL, crashes = 0, due_at = ? WHERE pk = ? AND state <> 'leased'
