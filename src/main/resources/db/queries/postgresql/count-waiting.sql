SELECT count(*) FROM json_array_elements_text(CAST(? AS json)) k
WHERE EXISTS (SELECT 1 FROM queue q
              WHERE q.pk BETWEEN CAST(k.value AS bigint) AND CAST(k.value AS bigint) + 1023 AND q.tenant_id = ?)
