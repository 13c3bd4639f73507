UPDATE recipient SET state = 'pending', changed_at = ? WHERE message_pk = ? AND delivery_pk = ? AND state = 'uncertain'
