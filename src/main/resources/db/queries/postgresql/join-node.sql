-- Two nodes that join at once may want the same slot: one of them asks again.
INSERT INTO node (name, slot, started_at, until_at)
SELECT ?, min(free.slot), now_ms(), now_ms() + ?
FROM generate_series(0, 63) AS free (slot)
WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.slot = free.slot)
RETURNING pk, slot
