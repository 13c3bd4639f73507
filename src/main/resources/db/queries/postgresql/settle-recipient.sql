-- All rows in one statement.
UPDATE recipient
SET state = asked.state, code = asked.code, enhanced = asked.enhanced, reply = asked.reply, changed_at = asked.changed_at
FROM unnest(CAST(? AS text[]), CAST(? AS integer[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]),
  CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS integer[]))
  AS asked (state, code, enhanced, reply, changed_at, tenant_id, message_pk, position)
WHERE recipient.tenant_id = asked.tenant_id AND recipient.message_pk = asked.message_pk
  AND recipient.position = asked.position
