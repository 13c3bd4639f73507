SELECT state FROM secret_storage
