DELETE FROM throttle_rule WHERE name NOT IN (SELECT json_extract(value, '$.name') FROM json_each(?))
