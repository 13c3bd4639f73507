UPDATE queue
SET state = 'held', hold_reason = 'suspended'
WHERE pk IN (
  SELECT pk FROM queue
  WHERE batch_code IN (SELECT value FROM json_each(:?batches)) AND account_pk = :?account AND rule_pk = :?rule AND state = 'due'
  LIMIT :?piece
)
RETURNING pk
