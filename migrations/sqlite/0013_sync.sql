-- How each connection is kept in step with its provider, and how far that is.
CREATE TABLE sync_states (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  rules TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('idle', 'full', 'incremental')),
  position TEXT,
  run INTEGER NOT NULL,
  pages INTEGER NOT NULL,
  items INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  full_at INTEGER,
  due_at INTEGER,
  failures INTEGER NOT NULL,
  error TEXT,
  PRIMARY KEY (tenant_id, connection_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX sync_states_due ON sync_states (due_at);
INSERT INTO sync_states (tenant_id, connection_id, rules, phase, run, pages, items, due_at, failures)
  SELECT tenant_id, id, '{}', 'idle', 0, 0, 0, created_at, 0 FROM connections;

-- What the provider has, as it last said it. A booking that is not ours and whose member is known takes that member's time.
CREATE TABLE external_bookings (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  connection_id BLOB NOT NULL,
  external_id TEXT NOT NULL,
  booking_id BLOB,
  member_id BLOB,
  status TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  event_type TEXT,
  payload TEXT NOT NULL,
  run INTEGER NOT NULL,
  last_synced_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, external_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
) STRICT;
CREATE INDEX external_bookings_by_time ON external_bookings (tenant_id, connection_id, starts_at);
CREATE INDEX external_bookings_by_run ON external_bookings (tenant_id, connection_id, run);
CREATE INDEX external_bookings_of_member ON external_bookings (tenant_id, member_id, ends_at) WHERE member_id IS NOT NULL;

-- The provider's event types and clients, as it last said them.
CREATE TABLE external_items (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('event_type', 'client')),
  external_id TEXT NOT NULL,
  title TEXT NOT NULL,
  payload TEXT NOT NULL,
  run INTEGER NOT NULL,
  last_synced_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, kind, external_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- Where both sides disagree: both versions, and what became of it.
CREATE TABLE sync_conflicts (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  connection_id BLOB NOT NULL,
  booking_id BLOB,
  external_id TEXT,
  kind TEXT NOT NULL,
  dedup_key TEXT NOT NULL,
  ours TEXT NOT NULL,
  theirs TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'resolved')),
  resolution TEXT,
  resolved_by TEXT,
  detected_at INTEGER NOT NULL,
  resolved_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX sync_conflicts_open ON sync_conflicts (tenant_id, dedup_key) WHERE status = 'open';
CREATE INDEX sync_conflicts_of_connection ON sync_conflicts (tenant_id, connection_id, id);
