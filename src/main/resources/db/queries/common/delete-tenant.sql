DELETE FROM tenant WHERE id = :?tenant
