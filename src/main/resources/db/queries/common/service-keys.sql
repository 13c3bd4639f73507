SELECT name, value FROM service_key
