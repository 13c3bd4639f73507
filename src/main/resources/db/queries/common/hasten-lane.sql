UPDATE queue SET due_at = now_ms() WHERE account_pk = :?lane AND state = 'due' AND due_at > now_ms()
