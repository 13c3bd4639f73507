-- What no window reaches any more: their spans, and a bucket's width of each.
DELETE FROM rate_bucket
WHERE bucket < CASE span
  WHEN 60 THEN now_ms() / 1000 - 62
  WHEN 3600 THEN now_ms() / 60000 - 62
  ELSE now_ms() / 900000 - 98
END
