SELECT
  (SELECT count(*) FROM queue WHERE pk = message_pk)
  + (SELECT count(DISTINCT q.message_pk) FROM queue q
     WHERE q.pk <> q.message_pk AND NOT EXISTS (SELECT 1 FROM queue first WHERE first.tenant_id = q.tenant_id AND first.pk = q.message_pk))
