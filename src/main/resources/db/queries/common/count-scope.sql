SELECT count(DISTINCT q.message_pk) AS pending
FROM queue q
JOIN account a ON a.pk = q.account_pk
LEFT JOIN throttle_rule r ON r.pk = q.rule_pk
WHERE q.tenant_id = :?tenant AND a.tenant_id = :?tenant
  AND (CAST(:?account AS TEXT) IS NULL OR a.id = :?account)
  AND (CAST(:?throttle AS TEXT) IS NULL OR coalesce(r.name, '__default') = :?throttle)
  AND (CAST(:?batch AS TEXT) IS NULL OR q.batch_code = :?batch)
