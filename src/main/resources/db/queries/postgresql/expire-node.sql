-- Its successor of the same name is here.
UPDATE node SET until_at = 0 WHERE name = ?
