SELECT tenant_id, pk, id FROM message
WHERE tenant_id = :?tenant AND id = ANY (ARRAY(SELECT value FROM json_array_elements_text(CAST(:?ids AS json))))
