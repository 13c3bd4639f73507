-- One process writes.
SELECT ?, ?
