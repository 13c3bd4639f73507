SELECT body_hash, body FROM answer
WHERE caller = :?caller AND key = :?key AND at > now_ms() - 86400000
