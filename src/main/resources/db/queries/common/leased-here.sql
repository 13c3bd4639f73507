-- in_data: an attempt is under way, and says itself what came of it.
SELECT tenant_id, pk, lease_epoch, account_pk, rule_pk FROM queue
WHERE state = 'leased' AND lease_owner = :?node AND in_data = 0
