-- first: the node that does what only one is to do.
UPDATE node SET until_at = now_ms() + :?lease
WHERE pk = :?node AND until_at > now_ms()
RETURNING (SELECT min(pk) FROM node WHERE until_at > now_ms()) AS first
