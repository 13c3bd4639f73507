SELECT * FROM tenant
