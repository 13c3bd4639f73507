DELETE FROM queue WHERE tenant_id = ? AND pk = ? AND state <> 'leased'
