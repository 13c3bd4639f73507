DELETE FROM dump WHERE tenant_id = :?tenant
