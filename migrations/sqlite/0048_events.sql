-- What happened to a tenant's bookings, conflicts and connections: one row in the transaction of each change of state. Its position, in which
-- readers follow it, is given after the commit, so that there is no gap and nothing that commits late is missed.
CREATE TABLE events (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  position INTEGER,
  kind TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  occurred_at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) STRICT;
CREATE UNIQUE INDEX events_placed ON events (tenant_id, position) WHERE position IS NOT NULL;
CREATE INDEX events_unplaced ON events (tenant_id, id) WHERE position IS NULL;
CREATE INDEX events_unplaced_of_subject ON events (tenant_id, subject_id, sequence) WHERE position IS NULL;

-- Where a tenant's events end, and where those begin that are kept. The epoch rises when a back-up is restored.
CREATE TABLE event_heads (
  tenant_id BLOB PRIMARY KEY,
  epoch INTEGER NOT NULL DEFAULT 1,
  position INTEGER NOT NULL DEFAULT 0,
  first_position INTEGER NOT NULL DEFAULT 1,
  FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) STRICT;

-- How many events tell of it: the sequence of the last one. (A booking has its own.)
ALTER TABLE connections ADD COLUMN event_sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_conflicts ADD COLUMN event_sequence INTEGER NOT NULL DEFAULT 0;
