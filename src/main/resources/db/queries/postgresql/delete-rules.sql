DELETE FROM throttle_rule WHERE name NOT IN (SELECT value ->> 'name' FROM json_array_elements(CAST(? AS json)))
