-- until: nothing that is younger is looked at; listened: whether somebody is told of its events.
SELECT id AS tenant_id, CASE WHEN client_base_url IS NOT NULL OR CAST(:?common AS INTEGER) = 1 THEN 1 ELSE 0 END AS listened,
       :?before AS before, :?before AS until
FROM tenant
