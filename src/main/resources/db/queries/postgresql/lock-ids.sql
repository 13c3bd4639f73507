-- Where one slice ends and the next begins, one transaction after the other stores: no unique key spans both.
SELECT pg_advisory_xact_lock(hashtext('ids'))
