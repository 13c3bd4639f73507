-- After five processes that ended in its attempts a delivery is not tried again.
UPDATE queue
SET state = CASE WHEN crashes >= 5 THEN 'held' ELSE 'due' END, hold_reason = CASE WHEN crashes >= 5 THEN 'poison' END,
    lease_owner = NULL, attempts = attempts + in_data, in_data = 0
WHERE state = 'leased' AND lease_owner = ?
