SELECT e.pk, e.message_pk, e.tenant_id, e.type, e.at, e.text, e.data, e.tried, m.id
FROM event e JOIN message m ON m.tenant_id = e.tenant_id AND m.pk = e.message_pk
WHERE e.tenant_id = :?tenant AND e.reported_at IS NULL AND e.type IN ('deferred', 'sent', 'error')
ORDER BY e.pk
LIMIT :?batch
