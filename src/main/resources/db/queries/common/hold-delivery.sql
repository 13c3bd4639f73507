UPDATE queue SET state = 'held', hold_reason = 'manual' WHERE tenant_id = ? AND pk = ? AND state <> 'leased'
