-- How each connection is kept in step with its provider, and how far that is.
CREATE TABLE sync_states (
  tenant_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  rules JSONB NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('idle', 'full', 'incremental')),
  position TEXT,
  run BIGINT NOT NULL,
  pages BIGINT NOT NULL,
  items BIGINT NOT NULL,
  started_at TIMESTAMPTZ,
  finished_at TIMESTAMPTZ,
  full_at TIMESTAMPTZ,
  due_at TIMESTAMPTZ,
  failures BIGINT NOT NULL,
  error TEXT,
  PRIMARY KEY (tenant_id, connection_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sync_states_due ON sync_states (due_at);
INSERT INTO sync_states (tenant_id, connection_id, rules, phase, run, pages, items, due_at, failures)
  SELECT tenant_id, id, '{}', 'idle', 0, 0, 0, created_at, 0 FROM connections;

-- What the provider has, as it last said it. A booking that is not ours and whose member is known takes that member's time.
CREATE TABLE external_bookings (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  connection_id UUID NOT NULL,
  external_id TEXT NOT NULL,
  booking_id UUID,
  member_id UUID,
  status TEXT NOT NULL,
  starts_at TIMESTAMPTZ NOT NULL,
  ends_at TIMESTAMPTZ NOT NULL,
  event_type TEXT,
  payload JSONB NOT NULL,
  run BIGINT NOT NULL,
  last_synced_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, external_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX external_bookings_by_time ON external_bookings (tenant_id, connection_id, starts_at);
CREATE INDEX external_bookings_by_run ON external_bookings (tenant_id, connection_id, run);
CREATE INDEX external_bookings_of_member ON external_bookings (tenant_id, member_id, ends_at) WHERE member_id IS NOT NULL;

-- The provider's event types and clients, as it last said them.
CREATE TABLE external_items (
  tenant_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('event_type', 'client')),
  external_id TEXT NOT NULL,
  title TEXT NOT NULL,
  payload JSONB NOT NULL,
  run BIGINT NOT NULL,
  last_synced_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, kind, external_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);

-- Where both sides disagree: both versions, and what became of it.
CREATE TABLE sync_conflicts (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  connection_id UUID NOT NULL,
  booking_id UUID,
  external_id TEXT,
  kind TEXT NOT NULL,
  dedup_key TEXT NOT NULL,
  ours JSONB NOT NULL,
  theirs JSONB NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'resolved')),
  resolution TEXT,
  resolved_by TEXT,
  detected_at TIMESTAMPTZ NOT NULL,
  resolved_at TIMESTAMPTZ,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX sync_conflicts_open ON sync_conflicts (tenant_id, dedup_key) WHERE status = 'open';
CREATE INDEX sync_conflicts_of_connection ON sync_conflicts (tenant_id, connection_id, id);
