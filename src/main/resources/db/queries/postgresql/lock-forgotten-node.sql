-- As lock-dead-node, for a number that has no row any more.
SELECT 1 AS pk
WHERE NOT EXISTS (SELECT 1 FROM node WHERE pk = ?) AND pg_try_advisory_xact_lock(1, CAST(? AS integer))
