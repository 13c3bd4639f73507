UPDATE queue SET rule_pk = 0
WHERE state IN ('due', 'held') AND rule_pk <> 0 AND rule_pk NOT IN (SELECT pk FROM throttle_rule)
RETURNING account_pk
