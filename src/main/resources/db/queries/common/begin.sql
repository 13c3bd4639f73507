-- The database's clock as a transaction begins; edge: whether a slice began or ended just now, or is about to.
SELECT now_ms() AS now, 0 AS edge
