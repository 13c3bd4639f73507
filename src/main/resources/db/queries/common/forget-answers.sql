-- A day old: see find-answer.
DELETE FROM answer WHERE at <= now_ms() - 86400000
