SELECT * FROM account WHERE tenant_id = :?tenant
