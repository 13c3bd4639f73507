DELETE FROM command_log
WHERE id IN (SELECT id FROM command_log WHERE at < now_ms() - :?age ORDER BY id LIMIT :?piece)
RETURNING id
