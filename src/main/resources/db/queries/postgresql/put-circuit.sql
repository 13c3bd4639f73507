-- What a node found out of an account, or that it tries for all. Nothing happens where the word of another node still counts, where the
-- account is gone or another by now, or where the lease of this node has ended.
INSERT INTO circuit (account_pk, revision, node, state, reason, since, until_at, trial)
SELECT account.pk, account.revision, node.pk, :?state, :?reason, :?since, :?until, :?trial
FROM account, node
WHERE account.pk = :?account AND account.revision = :?revision AND node.pk = :?node AND node.until_at > now_ms()
ON CONFLICT (account_pk) DO UPDATE SET
  revision = excluded.revision, node = excluded.node, state = excluded.state, reason = excluded.reason, since = excluded.since,
  until_at = excluded.until_at, trial = excluded.trial
WHERE circuit.revision <> excluded.revision OR circuit.node = excluded.node OR circuit.until_at <= now_ms()
RETURNING account_pk
