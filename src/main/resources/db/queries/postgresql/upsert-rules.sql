INSERT INTO throttle_rule (position, name, domains, max_connections, messages_per_hour)
SELECT ordinality - 1, value ->> 'name', value ->> 'domains', CAST(value ->> 'max_connections' AS integer),
       CAST(value ->> 'messages_per_hour' AS integer)
FROM json_array_elements(CAST(? AS json)) WITH ORDINALITY
ON CONFLICT (name) DO UPDATE SET position = excluded.position, domains = excluded.domains,
  max_connections = excluded.max_connections, messages_per_hour = excluded.messages_per_hour
