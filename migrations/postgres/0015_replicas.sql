-- Processes that work on this database, by when they were seen last: they share providers' rates.
CREATE TABLE replicas (
  id UUID PRIMARY KEY,
  seen_at TIMESTAMPTZ NOT NULL
);
