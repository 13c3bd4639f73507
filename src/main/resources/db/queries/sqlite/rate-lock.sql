-- One process books.
SELECT ? + ?
