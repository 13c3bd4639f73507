SELECT * FROM account WHERE tenant_id = :?tenant AND id = :?id
