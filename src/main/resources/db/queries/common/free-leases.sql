UPDATE queue
SET state = 'due', lease_owner = NULL, attempts = attempts + in_data, in_data = 0
WHERE state = 'leased'
