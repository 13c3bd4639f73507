-- until: nothing that is younger is looked at, nor what goes with its slice; listened: whether somebody is told of its events.
SELECT id AS tenant_id, CASE WHEN client_base_url IS NOT NULL OR :?common = 1 THEN 1 ELSE 0 END AS listened,
       :?before AS before, least(:?before, (SELECT min(starts) FROM slice WHERE NOT detached)) AS until
FROM tenant
