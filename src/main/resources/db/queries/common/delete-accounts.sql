DELETE FROM account WHERE tenant_id = :?tenant RETURNING *
