-- Spreads mail over the machines of a Citus cluster, by tenant. Once, on its coordinator, with nodes of the proxy stopped, after a first
-- start of one of them has made the tables: psql --single-transaction -v ON_ERROR_STOP=1 -f citus.sql "$GMP_DB_PATH"
-- See docs/scale.md for what is known and what was not tried.

-- Shards take the place of partitions and their slices: plain tables with the same columns, indexes and rows.
DO $$
DECLARE
  whole text;
BEGIN
  FOREACH whole IN ARRAY ARRAY['message', 'queue', 'recipient', 'event'] LOOP
    EXECUTE format('ALTER TABLE %I RENAME TO %I', whole, whole || '_parts');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', whole, whole || '_parts');
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', whole, whole || '_parts');
    EXECUTE format('DROP TABLE %I', whole || '_parts');
  END LOOP;
END $$;

ALTER TABLE message ADD UNIQUE (tenant_id, id);
DELETE FROM slice;

ALTER TABLE queue SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0);
ALTER TABLE recipient SET (fillfactor = 70);
ALTER TABLE event SET (fillfactor = 90);

-- What belongs to one tenant lies together: store, claim and record of a delivery run on one machine.
SELECT create_distributed_table('queue', 'tenant_id');
SELECT create_distributed_table('message', 'tenant_id', colocate_with => 'queue');
SELECT create_distributed_table('recipient', 'tenant_id', colocate_with => 'queue');
SELECT create_distributed_table('event', 'tenant_id', colocate_with => 'queue');

-- A claim asks whether its node still has its lease, where the mail is.
SELECT create_reference_table('node');

-- All others stay on the coordinator: they are small, and tables with triggers (account, tenant, tenant_key, throttle_rule, circuit)
-- have to.
