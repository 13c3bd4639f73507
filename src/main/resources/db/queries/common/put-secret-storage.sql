UPDATE secret_storage SET state = ?
