-- Whether an event was told to its destination at least once without being acknowledged.
ALTER TABLE event ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;

-- What a probe writes, so that its commit costs what a message's does: one row for each node.
CREATE TABLE probe (
  node INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL
) STRICT;
