-- Asked before what is granted is booked: no other node books at the same time.
SELECT pg_advisory_xact_lock(? * 1048576 + ?)
