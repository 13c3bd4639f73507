-- Spreads mail over the machines of a YugabyteDB cluster, by tenant. Once, with nodes of the proxy stopped, after a first start of one
-- of them has made the tables: ysqlsh --single-transaction -v ON_ERROR_STOP=1 -f yugabyte.sql "$GMP_DB_PATH"
-- See docs/scale.md for what is known and what was not tried.

-- Tablets take the place of partitions and their slices. A key's first column says on which machine a row is.
DO $$
DECLARE
  whole text;
BEGIN
  FOREACH whole IN ARRAY ARRAY['message', 'queue', 'recipient', 'event'] LOOP
    EXECUTE format('ALTER TABLE %I RENAME TO %I', whole, whole || '_parts');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING INDEXES, PRIMARY KEY (tenant_id HASH, %s))',
      whole, whole || '_parts', CASE whole WHEN 'recipient' THEN 'message_pk ASC, position ASC' ELSE 'pk ASC' END);
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', whole, whole || '_parts');
    EXECUTE format('DROP TABLE %I', whole || '_parts');
  END LOOP;
END $$;

DELETE FROM slice;

CREATE UNIQUE INDEX message_id ON message (tenant_id HASH, id ASC);
CREATE INDEX message_order ON message (tenant_id HASH, priority ASC, pk ASC);
CREATE INDEX message_failed ON message (tenant_id HASH, priority ASC, pk ASC) WHERE failed = 1;
CREATE INDEX message_batch ON message (tenant_id HASH, batch_code ASC, priority ASC, pk ASC) WHERE batch_code IS NOT NULL;

CREATE INDEX queue_due ON queue (tenant_id HASH, account_pk ASC, rule_pk ASC, priority ASC, due_at ASC, pk ASC) WHERE state = 'due';
CREATE INDEX queue_batch ON queue (tenant_id HASH, batch_code ASC, account_pk ASC, rule_pk ASC) WHERE batch_code IS NOT NULL;
CREATE INDEX event_message ON event (tenant_id HASH, message_pk ASC);
CREATE INDEX event_unreported ON event (tenant_id HASH, pk ASC)
  WHERE reported_at IS NULL AND type IN ('deferred', 'sent', 'error');

-- For looks over all tenants, in order.
CREATE INDEX queue_accounts ON queue (account_pk ASC, rule_pk ASC, tenant_id) WHERE state = 'due';
CREATE INDEX queue_leased ON queue (lease_owner ASC, pk ASC) WHERE state = 'leased';
CREATE INDEX queue_held ON queue (hold_reason ASC, pk ASC) WHERE state = 'held';
CREATE INDEX queue_expiry ON queue (expires_at ASC) WHERE expires_at IS NOT NULL;
CREATE INDEX queue_keys ON queue (pk ASC);
CREATE INDEX message_keys ON message (pk ASC);
CREATE INDEX event_keys ON event (pk ASC);
CREATE INDEX event_tenants ON event (tenant_id ASC)
  WHERE reported_at IS NULL AND type IN ('deferred', 'sent', 'error');
