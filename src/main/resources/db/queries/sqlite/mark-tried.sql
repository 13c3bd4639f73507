UPDATE event SET tried = 1 WHERE pk IN (SELECT value FROM json_each(:?keys)) AND tried = 0
