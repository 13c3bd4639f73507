-- Whose each row is: on PostgreSQL rows lie by it, and statements are the same here. A message and its rows have the same.
ALTER TABLE queue ADD COLUMN tenant_id TEXT NOT NULL DEFAULT '';
UPDATE queue SET tenant_id = coalesce((SELECT m.tenant_id FROM message m WHERE m.pk = queue.message_pk), '');

ALTER TABLE recipient ADD COLUMN tenant_id TEXT NOT NULL DEFAULT '';
UPDATE recipient SET tenant_id = coalesce((SELECT m.tenant_id FROM message m WHERE m.pk = recipient.message_pk), '');
