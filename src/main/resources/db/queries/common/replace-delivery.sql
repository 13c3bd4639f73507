UPDATE queue
SET account_pk = ?, priority = ?, due_at = max(accepted_at, ?), bytes = ?
WHERE pk = ?
