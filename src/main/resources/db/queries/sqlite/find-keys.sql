SELECT tenant_id, pk, id FROM message WHERE tenant_id = :?tenant AND id IN (SELECT value FROM json_each(:?ids))
