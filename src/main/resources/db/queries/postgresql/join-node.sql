-- The first free slot after the youngest node's: one that was just left is not used again at once, keys of it might still come. Two
-- nodes that join at once may want the same: one of them asks again.
INSERT INTO node (name, slot, started_at, until_at)
SELECT ?, free.slot, now_ms(), now_ms() + ?
FROM generate_series(0, 63) AS free (slot)
WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.slot = free.slot)
ORDER BY (free.slot + 64 - (SELECT coalesce(max(pk), 0) FROM node) % 64) % 64
LIMIT 1
RETURNING pk, slot
