SELECT EXISTS (SELECT 1 FROM recipient WHERE message_pk = ? AND delivery_pk = ? AND state = 'uncertain')
