-- The processes that share this database, each with its lease on what it has claimed: rows of queue with its pk as lease_owner, and
-- of rate_open. From until_at on any other may take that over. name: stable over restarts. slot: part of the keys that it makes.
CREATE TABLE node (
  pk         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL,
  slot       integer NOT NULL UNIQUE,
  started_at bigint NOT NULL,
  until_at   bigint NOT NULL
) WITH (fillfactor = 10);

-- How often each table was changed that nodes keep in memory.
CREATE TABLE change (
  topic    text PRIMARY KEY,
  revision bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO change (topic, revision)
VALUES ('account', 1), ('tenant', 1), ('tenant_key', 1), ('throttle_rule', 1), ('circuit', 1);

-- The path of schemas is that of now, for a restored dump has none.
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE change SET revision = revision + 1 WHERE topic = TG_TABLE_NAME;
  RETURN NULL;
END $$;

-- Accounts that some node found in trouble; gone once one of them works again. revision: of the account. From until_at on any node may
-- try; trial: one does until then.
CREATE TABLE circuit (
  account_pk bigint PRIMARY KEY REFERENCES account ON DELETE CASCADE,
  node       bigint NOT NULL,
  state      text NOT NULL,
  reason     text NOT NULL,
  since      bigint NOT NULL,
  revision   bigint NOT NULL,
  until_at   bigint NOT NULL,
  trial      boolean NOT NULL
);

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON account EXECUTE FUNCTION note_change();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON tenant EXECUTE FUNCTION note_change();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON tenant_key EXECUTE FUNCTION note_change();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON throttle_rule EXECUTE FUNCTION note_change();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON circuit EXECUTE FUNCTION note_change();
