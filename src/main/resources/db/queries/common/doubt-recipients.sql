UPDATE recipient SET state = 'uncertain', changed_at = ?
WHERE message_pk = ? AND delivery_pk = ? AND state = 'pending'
