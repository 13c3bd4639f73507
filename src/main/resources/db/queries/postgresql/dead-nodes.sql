-- Nodes whose leases have ended; and, without a name, numbers that are forgotten already and still have leases or permits: what a
-- node wrote that stood still in the middle of it. until_at 0: it left by itself. From owner to owner along the index.
WITH RECURSIVE owner (pk) AS (
  SELECT min(lease_owner) FROM queue WHERE state = 'leased'
  UNION ALL
  SELECT (SELECT min(q.lease_owner) FROM queue q WHERE q.state = 'leased' AND q.lease_owner > owner.pk)
  FROM owner
  WHERE owner.pk IS NOT NULL
)
SELECT pk, name, until_at FROM node WHERE until_at <= now_ms()
UNION ALL
SELECT gone.pk, '' AS name, 1 AS until_at
FROM (SELECT pk FROM owner UNION SELECT node FROM rate_open) AS gone
WHERE gone.pk IS NOT NULL AND NOT EXISTS (SELECT 1 FROM node WHERE node.pk = gone.pk)
ORDER BY pk
