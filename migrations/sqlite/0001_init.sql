CREATE TABLE tenants (
  id BLOB PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  default_connection BLOB,
  created_at INTEGER NOT NULL,
  FOREIGN KEY (id, default_connection) REFERENCES connections (tenant_id, id)
) STRICT;

CREATE TABLE api_keys (
  id BLOB PRIMARY KEY,
  tenant_id BLOB REFERENCES tenants (id),
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT;
CREATE INDEX api_keys_of_tenant ON api_keys (tenant_id, id);

CREATE TABLE listings (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL UNIQUE,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  booking_provider BLOB,
  active INTEGER NOT NULL,
  offer_when_degraded INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, booking_provider) REFERENCES connections (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX listings_slug ON listings (tenant_id, slug);

CREATE TABLE members (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  email TEXT,
  time_zone TEXT NOT NULL,
  weekly_hours TEXT NOT NULL,
  active INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE event_types (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  listing_id BLOB NOT NULL,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  length_minutes INTEGER NOT NULL CHECK (length_minutes BETWEEN 1 AND 1440),
  slot_interval_minutes INTEGER,
  buffer_before_minutes INTEGER NOT NULL,
  buffer_after_minutes INTEGER NOT NULL,
  minimum_notice_minutes INTEGER NOT NULL,
  booking_window_days INTEGER NOT NULL,
  external_id TEXT,
  active INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX event_types_slug ON event_types (tenant_id, listing_id, slug);

CREATE TABLE event_type_members (
  tenant_id BLOB NOT NULL,
  event_type_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, event_type_id, member_id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
) STRICT;
CREATE INDEX event_type_members_of_member ON event_type_members (tenant_id, member_id);

CREATE TABLE connections (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL UNIQUE,
  listing_id BLOB,
  plugin TEXT NOT NULL,
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  granted_hosts TEXT,
  status TEXT NOT NULL CHECK (status IN ('healthy', 'unauthorised', 'unavailable')),
  account TEXT NOT NULL,
  subscription TEXT,
  credential_names TEXT NOT NULL,
  sealed_credentials BLOB NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
) STRICT;

CREATE TABLE connection_state (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, key),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE bookings (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  listing_id BLOB NOT NULL,
  event_type_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  connection_id BLOB,
  status TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'cancelled', 'failed', 'completed', 'no_show')),
  provider_task TEXT CHECK (provider_task IN ('create', 'cancel', 'reschedule')),
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  previous_starts_at INTEGER,
  previous_ends_at INTEGER,
  attendee TEXT NOT NULL,
  guests TEXT NOT NULL,
  answers TEXT NOT NULL,
  notes TEXT,
  reason TEXT,
  external_id TEXT,
  external TEXT,
  external_updated_at INTEGER,
  sequence INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id),
  CHECK (starts_at < ends_at),
  CHECK ((previous_starts_at IS NULL) = (previous_ends_at IS NULL))
) STRICT;
CREATE INDEX bookings_by_time ON bookings (tenant_id, starts_at, id);
CREATE INDEX bookings_of_listing ON bookings (tenant_id, listing_id);
CREATE INDEX bookings_of_member ON bookings (tenant_id, member_id, ends_at);
CREATE INDEX bookings_of_event_type ON bookings (tenant_id, event_type_id);
CREATE INDEX bookings_of_connection ON bookings (tenant_id, connection_id, external_id);

CREATE TABLE occupancies (
  tenant_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  seat INTEGER NOT NULL,
  blocked_start INTEGER NOT NULL,
  blocked_end INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  owner_kind TEXT NOT NULL CHECK (owner_kind IN ('booking', 'hold', 'block')),
  owner_id BLOB NOT NULL,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  CHECK (blocked_start < blocked_end)
) STRICT;
CREATE INDEX occupancies_of_owner ON occupancies (tenant_id, owner_id);
CREATE INDEX occupancies_by_start ON occupancies (tenant_id, member_id, seat, blocked_start);
CREATE INDEX occupancies_by_end ON occupancies (tenant_id, member_id, blocked_end);

-- The overlap rule (invariant 1): the same member and seat is never taken twice at a time. Half-open ranges. Rows that
-- are here already do not overlap, so their ends have the order of their starts: it is enough to look at the last one that
-- starts before the new one ends.
CREATE TRIGGER occupancies_no_overlap_insert BEFORE INSERT ON occupancies BEGIN
  SELECT RAISE(ABORT, 'occupancies_no_overlap') WHERE new.blocked_start < (
    SELECT o.blocked_end FROM occupancies o
    WHERE o.tenant_id = new.tenant_id AND o.member_id = new.member_id AND o.seat = new.seat
      AND o.blocked_start < new.blocked_end
    ORDER BY o.blocked_start DESC LIMIT 1);
END;
CREATE TRIGGER occupancies_no_overlap_update BEFORE UPDATE ON occupancies BEGIN
  SELECT RAISE(ABORT, 'occupancies_no_overlap') WHERE new.blocked_start < (
    SELECT o.blocked_end FROM occupancies o
    WHERE o.tenant_id = new.tenant_id AND o.member_id = new.member_id AND o.seat = new.seat
      AND o.blocked_start < new.blocked_end AND o.rowid <> old.rowid
    ORDER BY o.blocked_start DESC LIMIT 1);
END;

CREATE TABLE jobs (
  id BLOB PRIMARY KEY,
  tenant_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  priority INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  dedup_key TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  leased_until INTEGER,
  rerun_at INTEGER,
  dead INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL
) STRICT;
-- rerun_at: a wake-up that came while the job was held; it runs again then.
CREATE UNIQUE INDEX jobs_dedup ON jobs (tenant_id, dedup_key) WHERE NOT dead;
CREATE INDEX jobs_due ON jobs (due_at) WHERE NOT dead;
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (tenant_id, id) WHERE dead;

CREATE TABLE inbound_webhooks (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  connection_id BLOB NOT NULL,
  dedup_key TEXT NOT NULL,
  method TEXT NOT NULL,
  headers TEXT NOT NULL,
  query TEXT NOT NULL,
  body BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('stored', 'processed', 'ignored', 'failed')),
  detail TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX inbound_webhooks_dedup ON inbound_webhooks (tenant_id, connection_id, dedup_key);
CREATE INDEX inbound_webhooks_by_time ON inbound_webhooks (received_at);

CREATE TABLE plugin_versions (
  id BLOB PRIMARY KEY,
  plugin TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  manifest TEXT NOT NULL,
  abilities TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('staged', 'held', 'active', 'retired', 'quarantined')),
  reason TEXT,
  installed_at INTEGER NOT NULL,
  activated_at INTEGER,
  component BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX plugin_versions_active ON plugin_versions (plugin) WHERE state = 'active';

CREATE TABLE plugin_generation (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  generation INTEGER NOT NULL
) STRICT;
INSERT INTO plugin_generation (one, generation) VALUES (1, 0);

CREATE TABLE plugin_grants (
  plugin TEXT NOT NULL,
  level TEXT NOT NULL,
  tenant_id BLOB,
  listing_id BLOB,
  hosts TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  PRIMARY KEY (plugin, level),
  FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE provider_calls (
  id BLOB PRIMARY KEY,
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  started_at INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX provider_calls_of_connection ON provider_calls (tenant_id, connection_id, id);
CREATE INDEX provider_calls_by_time ON provider_calls (started_at);

CREATE TABLE idempotency_keys (
  scope BLOB NOT NULL,
  key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  status INTEGER,
  content_type TEXT,
  location TEXT,
  body BLOB,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT;
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

CREATE TABLE audit_log (
  id BLOB PRIMARY KEY,
  tenant_id BLOB,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  request_id TEXT NOT NULL,
  action TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id BLOB NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_of_subject ON audit_log (tenant_id, subject_kind, subject_id, id);
