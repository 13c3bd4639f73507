SELECT * FROM suspension ORDER BY pk
