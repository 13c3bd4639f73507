UPDATE event SET tried = 1 WHERE pk IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:?keys AS json))) AND tried = 0
