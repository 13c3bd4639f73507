INSERT INTO queue (tenant_id, pk, message_pk, account_pk, rule_pk, state, priority, due_at, lease_owner, lease_epoch, accepted_at, bytes,
  batch_code, expires_at, hold_reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)
