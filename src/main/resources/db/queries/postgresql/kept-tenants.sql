-- until: what is younger is not looked at, nor what is to go with its slice: of one that could not end for a day, all that is over is.
-- listened: whether somebody is told of its events.
SELECT id AS tenant_id, CASE WHEN client_base_url IS NOT NULL OR :?common = 1 THEN 1 ELSE 0 END AS listened, :?before AS before,
  least(:?before, (SELECT min(starts) FROM slice WHERE state = 'made' AND ends > :?before - 86400000)) AS until
FROM tenant
