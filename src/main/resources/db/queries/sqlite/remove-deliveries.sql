DELETE FROM queue
WHERE pk IN (SELECT q.pk FROM json_each(?) k CROSS JOIN queue q WHERE q.pk BETWEEN k.value AND k.value + 1023)
  AND tenant_id = ?
