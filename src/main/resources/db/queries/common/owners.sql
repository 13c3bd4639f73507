-- Who has leases or open permits.
SELECT lease_owner AS node FROM queue WHERE state = 'leased'
UNION
SELECT node FROM rate_open
