DELETE FROM message
WHERE pk = ANY (ARRAY(SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(? AS json)))) AND tenant_id = ?
