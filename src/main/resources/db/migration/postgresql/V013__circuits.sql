-- A circuit is that of one revision of its account. From until_at on any node may try; trial: one does until then.
DELETE FROM circuit;
ALTER TABLE circuit
  ADD COLUMN revision bigint NOT NULL,
  ADD COLUMN until_at bigint NOT NULL,
  ADD COLUMN trial boolean NOT NULL,
  ADD FOREIGN KEY (account_pk) REFERENCES account ON DELETE CASCADE;
