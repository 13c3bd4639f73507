DELETE FROM tenant_key WHERE tenant_id = :?tenant
