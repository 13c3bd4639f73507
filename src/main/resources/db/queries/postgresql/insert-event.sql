-- All rows in one statement.
INSERT INTO event (pk, message_pk, tenant_id, type, at, text, data)
SELECT * FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]),
  CAST(? AS text[]), CAST(? AS text[]))
