SELECT * FROM tenant
WHERE (:?id IS NULL OR id = :?id) AND (NOT :?active OR active = 1)
ORDER BY id
