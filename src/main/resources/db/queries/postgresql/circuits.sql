SELECT account_pk, revision, node, state, reason, since, until_at, trial FROM circuit
