SELECT * FROM account
