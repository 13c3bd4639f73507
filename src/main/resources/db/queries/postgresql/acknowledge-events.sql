-- first, last: the least and the greatest key of their messages.
UPDATE event SET reported_at = now_ms()
WHERE tenant_id = :?tenant AND message_pk BETWEEN :?first AND :?last
  AND pk IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:?keys AS json)))
