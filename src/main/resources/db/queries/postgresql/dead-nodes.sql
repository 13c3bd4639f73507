SELECT pk, name FROM node WHERE until_at <= now_ms() ORDER BY pk
