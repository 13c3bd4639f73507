UPDATE queue SET state = 'due', hold_reason = NULL WHERE pk = ? AND state = 'held' AND hold_reason = 'manual'
