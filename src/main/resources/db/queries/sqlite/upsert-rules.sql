INSERT INTO throttle_rule (position, name, domains, max_connections, messages_per_hour)
SELECT key, json_extract(value, '$.name'), json_extract(value, '$.domains'), json_extract(value, '$.max_connections'),
       json_extract(value, '$.messages_per_hour')
FROM json_each(?)
WHERE true
ON CONFLICT (name) DO UPDATE SET position = excluded.position, domains = excluded.domains,
  max_connections = excluded.max_connections, messages_per_hour = excluded.messages_per_hour
