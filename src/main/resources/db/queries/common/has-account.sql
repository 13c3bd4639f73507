SELECT pk FROM account WHERE pk = :?account
