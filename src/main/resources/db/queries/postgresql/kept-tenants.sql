-- until: what is younger is not looked at, nor what is to go with its slice. Of a slice that could not end for a day, or is wider than
-- those of today because mail was kept for longer, all that is over is looked at. listened: whether somebody is told of its events.
SELECT id AS tenant_id, CASE WHEN client_base_url IS NOT NULL OR :?common = 1 THEN 1 ELSE 0 END AS listened, :?before AS before,
  least(:?before, (SELECT min(starts) FROM slice WHERE NOT detached AND ends > :?before - 86400000 AND ends - starts <= :?width)) AS until
FROM tenant
