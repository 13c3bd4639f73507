-- Keys grow with time: the range of keys finds what may be too old. What is leased is looked at when its attempt starts.
SELECT * FROM (
  SELECT tenant_id, pk, 'expired' AS reason FROM queue WHERE expires_at <= now_ms() AND state <> 'leased' LIMIT :?piece) AS late
UNION ALL
SELECT * FROM (
  SELECT tenant_id, pk, 'expired' FROM queue
  WHERE pk < :?oldest AND accepted_at <= now_ms() - :?age AND state <> 'leased' ORDER BY pk LIMIT :?piece) AS old
UNION ALL
SELECT * FROM (SELECT tenant_id, pk, 'poison' FROM queue WHERE state = 'held' AND hold_reason = 'poison' LIMIT :?piece) AS bad
LIMIT :?piece
