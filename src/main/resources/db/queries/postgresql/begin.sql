-- The database's clock as a transaction begins; edge: whether a slice began or ended just now, or is about to. Half a minute is longer
-- than a transaction of ours can last.
SELECT now_ms() AS now, EXISTS (SELECT 1 FROM slice
  WHERE abs(starts - now_ms()) < 30000 OR abs(ends - now_ms()) < 30000) AS edge
