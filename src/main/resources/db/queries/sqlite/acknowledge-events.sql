UPDATE event SET reported_at = now_ms() WHERE pk IN (SELECT value FROM json_each(:?keys))
