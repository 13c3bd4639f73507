-- One node takes another over.
SELECT pk FROM node WHERE pk = ? AND until_at <= now_ms() FOR UPDATE SKIP LOCKED
