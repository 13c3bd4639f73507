DELETE FROM queue q
USING json_array_elements_text(CAST(? AS json)) k
WHERE q.tenant_id = ? AND q.pk BETWEEN CAST(k.value AS bigint) AND CAST(k.value AS bigint) + 1023
