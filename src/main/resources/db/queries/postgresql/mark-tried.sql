UPDATE event SET tried = 1
WHERE tenant_id = :?tenant AND pk IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:?keys AS json)))
  AND tried = 0
