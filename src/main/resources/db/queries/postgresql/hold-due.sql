UPDATE queue
SET state = 'held', hold_reason = 'suspended'
WHERE tenant_id = :?tenant AND pk IN (
  SELECT pk FROM queue
  WHERE tenant_id = :?tenant AND batch_code IN (SELECT value FROM json_array_elements_text(CAST(:?batches AS json)))
    AND account_pk = :?account AND rule_pk = :?rule AND state = 'due'
  LIMIT :?piece
  FOR UPDATE SKIP LOCKED
)
RETURNING pk
