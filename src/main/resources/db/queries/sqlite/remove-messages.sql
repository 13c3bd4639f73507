DELETE FROM message WHERE pk IN (SELECT value FROM json_each(?))
