UPDATE queue SET state = 'due', hold_reason = NULL
WHERE pk IN (SELECT value FROM json_each(:?keys)) AND state = 'held' AND hold_reason = 'suspended'
