UPDATE queue SET state = 'due', hold_reason = NULL
WHERE pk IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:?keys AS json))) AND state = 'held' AND hold_reason = 'suspended'
