SELECT * FROM throttle_rule ORDER BY position
