DELETE FROM queue WHERE pk = ? AND state <> 'leased'
