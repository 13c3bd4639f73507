UPDATE queue SET due_at = now_ms() WHERE account_pk = :?account AND state = 'due' AND due_at > now_ms()
