INSERT INTO queue (pk, message_pk, account_pk, state, priority, due_at, lease_owner, lease_epoch, accepted_at, bytes)
VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
