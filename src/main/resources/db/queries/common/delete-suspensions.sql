DELETE FROM suspension WHERE tenant_id = :?tenant
