DELETE FROM answer WHERE caller = :?tenant
