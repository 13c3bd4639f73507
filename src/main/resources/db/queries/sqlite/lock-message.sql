-- One process writes.
SELECT ?
