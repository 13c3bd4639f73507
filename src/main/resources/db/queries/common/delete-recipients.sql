DELETE FROM recipient WHERE message_pk = ?
