UPDATE message
SET account_id = ?, priority = ?, batch_code = ?, deferred_ts = ?, payload = ?
WHERE pk = ?
