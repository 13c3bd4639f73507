-- Whether an event was told to its destination at least once without being acknowledged.
ALTER TABLE event ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;
