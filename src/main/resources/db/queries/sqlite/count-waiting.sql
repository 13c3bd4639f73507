SELECT count(*) FROM json_each(?) k
WHERE EXISTS (SELECT 1 FROM queue q WHERE q.pk BETWEEN k.value AND k.value + 1023 AND q.tenant_id = ?)
