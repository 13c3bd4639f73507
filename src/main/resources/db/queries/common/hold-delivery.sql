UPDATE queue SET state = 'held', hold_reason = 'manual' WHERE pk = ? AND state <> 'leased'
