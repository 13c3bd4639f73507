UPDATE node SET until_at = 0 WHERE pk = ?
