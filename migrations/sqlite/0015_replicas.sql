-- Processes that work on this database, by when they were seen last: they share providers' rates.
CREATE TABLE replicas (
  id BLOB PRIMARY KEY,
  seen_at INTEGER NOT NULL
) STRICT;
