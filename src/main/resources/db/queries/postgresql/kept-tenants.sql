-- until: what is younger, or goes with its slice, is not looked at; listened: whether somebody is told of its events.
SELECT id AS tenant_id, CASE WHEN client_base_url IS NOT NULL OR :?common = 1 THEN 1 ELSE 0 END AS listened,
       :?before AS before, least(:?before, (SELECT min(starts) FROM slice WHERE NOT detached AND NOT stays)) AS until
FROM tenant
