SELECT * FROM tenant
WHERE (CAST(:?id AS TEXT) IS NULL OR id = :?id) AND (CAST(:?active AS INTEGER) = 0 OR active = 1)
ORDER BY id
