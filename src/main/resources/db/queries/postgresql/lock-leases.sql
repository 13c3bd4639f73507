-- What its owner is just writing is waited for; what it writes from here on finds no lease.
SELECT count(*) FROM (SELECT pk FROM queue WHERE state = 'leased' AND lease_owner = ? FOR UPDATE) AS leased
