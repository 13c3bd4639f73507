DELETE FROM suspension WHERE until_at <= now_ms()
