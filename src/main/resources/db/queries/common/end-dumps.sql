-- A message's deliveries have keys from its own on: nothing at all waits that is so old.
DELETE FROM dump WHERE NOT EXISTS (SELECT 1 FROM queue WHERE queue.pk < dump.upto + 1024)
