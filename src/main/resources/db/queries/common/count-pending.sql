SELECT
  (SELECT count(*) FROM queue WHERE pk = message_pk)
  + (SELECT count(DISTINCT q.message_pk) FROM queue q
     WHERE q.pk <> q.message_pk AND NOT EXISTS (SELECT 1 FROM queue first WHERE first.pk = q.message_pk))
