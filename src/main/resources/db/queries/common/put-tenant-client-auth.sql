-- The tenant, and its row: the same.
UPDATE tenant SET client_auth = ? WHERE id = ? AND id = ?
