CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE tenants (
  id UUID PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  default_connection UUID,
  created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE api_keys (
  id UUID PRIMARY KEY,
  tenant_id UUID REFERENCES tenants (id),
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash BYTEA NOT NULL UNIQUE,
  scopes JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ,
  revoked_at TIMESTAMPTZ,
  last_used_at TIMESTAMPTZ
);
CREATE INDEX api_keys_of_tenant ON api_keys (tenant_id, id);

CREATE TABLE listings (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  id UUID NOT NULL UNIQUE,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  booking_provider UUID,
  active BOOLEAN NOT NULL,
  offer_when_degraded BOOLEAN NOT NULL,
  revision BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX listings_slug ON listings (tenant_id, slug);

CREATE TABLE members (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  id UUID NOT NULL UNIQUE,
  name TEXT NOT NULL,
  email TEXT,
  time_zone TEXT NOT NULL,
  weekly_hours JSONB NOT NULL,
  active BOOLEAN NOT NULL,
  revision BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE event_types (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  listing_id UUID NOT NULL,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  length_minutes BIGINT NOT NULL CHECK (length_minutes BETWEEN 1 AND 1440),
  slot_interval_minutes BIGINT,
  buffer_before_minutes BIGINT NOT NULL,
  buffer_after_minutes BIGINT NOT NULL,
  minimum_notice_minutes BIGINT NOT NULL,
  booking_window_days BIGINT NOT NULL,
  external_id TEXT,
  active BOOLEAN NOT NULL,
  revision BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
);
CREATE UNIQUE INDEX event_types_slug ON event_types (tenant_id, listing_id, slug);

CREATE TABLE event_type_members (
  tenant_id UUID NOT NULL,
  event_type_id UUID NOT NULL,
  member_id UUID NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, event_type_id, member_id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX event_type_members_of_member ON event_type_members (tenant_id, member_id);

CREATE TABLE connections (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  id UUID NOT NULL UNIQUE,
  listing_id UUID,
  plugin TEXT NOT NULL,
  name TEXT NOT NULL,
  settings JSONB NOT NULL,
  granted_hosts JSONB,
  status TEXT NOT NULL CHECK (status IN ('healthy', 'unauthorised', 'unavailable')),
  account JSONB NOT NULL,
  subscription JSONB,
  credential_names JSONB NOT NULL,
  sealed_credentials BYTEA NOT NULL,
  revision BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
);
ALTER TABLE tenants ADD FOREIGN KEY (id, default_connection) REFERENCES connections (tenant_id, id);
ALTER TABLE listings ADD FOREIGN KEY (tenant_id, booking_provider) REFERENCES connections (tenant_id, id);

CREATE TABLE connection_state (
  tenant_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  key TEXT NOT NULL,
  value BYTEA NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, key),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE bookings (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  listing_id UUID NOT NULL,
  event_type_id UUID NOT NULL,
  member_id UUID NOT NULL,
  connection_id UUID,
  status TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'cancelled', 'failed', 'completed', 'no_show')),
  provider_task TEXT CHECK (provider_task IN ('create', 'cancel', 'reschedule')),
  starts_at TIMESTAMPTZ NOT NULL,
  ends_at TIMESTAMPTZ NOT NULL,
  previous_starts_at TIMESTAMPTZ,
  previous_ends_at TIMESTAMPTZ,
  attendee JSONB NOT NULL,
  guests JSONB NOT NULL,
  answers JSONB NOT NULL,
  notes TEXT,
  reason TEXT,
  external_id TEXT,
  external JSONB,
  external_updated_at TIMESTAMPTZ,
  sequence BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id),
  CHECK (starts_at < ends_at),
  CHECK ((previous_starts_at IS NULL) = (previous_ends_at IS NULL))
);
CREATE INDEX bookings_by_time ON bookings (tenant_id, starts_at, id);
CREATE INDEX bookings_of_listing ON bookings (tenant_id, listing_id);
CREATE INDEX bookings_of_member ON bookings (tenant_id, member_id, ends_at);
CREATE INDEX bookings_of_event_type ON bookings (tenant_id, event_type_id);
CREATE INDEX bookings_of_connection ON bookings (tenant_id, connection_id, external_id);

CREATE TABLE occupancies (
  tenant_id UUID NOT NULL,
  member_id UUID NOT NULL,
  seat BIGINT NOT NULL,
  blocked_start TIMESTAMPTZ NOT NULL,
  blocked_end TIMESTAMPTZ NOT NULL,
  starts_at TIMESTAMPTZ NOT NULL,
  ends_at TIMESTAMPTZ NOT NULL,
  owner_kind TEXT NOT NULL CHECK (owner_kind IN ('booking', 'hold', 'block')),
  owner_id UUID NOT NULL,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  CHECK (blocked_start < blocked_end),
  -- The overlap rule (invariant 1): the same member and seat is never taken twice at a time. Half-open ranges.
  CONSTRAINT occupancies_no_overlap EXCLUDE USING gist (
    tenant_id WITH =, member_id WITH =, seat WITH =, tstzrange(blocked_start, blocked_end) WITH &&)
);
CREATE INDEX occupancies_of_owner ON occupancies (tenant_id, owner_id);
CREATE INDEX occupancies_by_start ON occupancies (tenant_id, member_id, seat, blocked_start);
CREATE INDEX occupancies_by_end ON occupancies (tenant_id, member_id, blocked_end);

CREATE TABLE jobs (
  id UUID PRIMARY KEY,
  tenant_id UUID NOT NULL,
  kind TEXT NOT NULL,
  payload JSONB NOT NULL,
  priority BIGINT NOT NULL,
  due_at TIMESTAMPTZ NOT NULL,
  dedup_key TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  leased_until TIMESTAMPTZ,
  rerun_at TIMESTAMPTZ,
  dead BOOLEAN NOT NULL,
  last_error TEXT,
  created_at TIMESTAMPTZ NOT NULL
);
-- rerun_at: a wake-up that came while the job was held; it runs again then.
CREATE UNIQUE INDEX jobs_dedup ON jobs (tenant_id, dedup_key) WHERE NOT dead;
CREATE INDEX jobs_due ON jobs (due_at) WHERE NOT dead;
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (tenant_id, id) WHERE dead;

CREATE TABLE inbound_webhooks (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  connection_id UUID NOT NULL,
  dedup_key TEXT NOT NULL,
  method TEXT NOT NULL,
  headers JSONB NOT NULL,
  query TEXT NOT NULL,
  body BYTEA NOT NULL,
  received_at TIMESTAMPTZ NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('stored', 'processed', 'ignored', 'failed')),
  detail TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX inbound_webhooks_dedup ON inbound_webhooks (tenant_id, connection_id, dedup_key);
CREATE INDEX inbound_webhooks_by_time ON inbound_webhooks (received_at);

CREATE TABLE plugin_versions (
  id UUID PRIMARY KEY,
  plugin TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  manifest JSONB NOT NULL,
  abilities JSONB NOT NULL,
  bytes BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('staged', 'held', 'active', 'retired', 'quarantined')),
  reason TEXT,
  installed_at TIMESTAMPTZ NOT NULL,
  activated_at TIMESTAMPTZ,
  component BYTEA NOT NULL
);
CREATE UNIQUE INDEX plugin_versions_active ON plugin_versions (plugin) WHERE state = 'active';

CREATE TABLE plugin_generation (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  generation BIGINT NOT NULL
);
INSERT INTO plugin_generation (one, generation) VALUES (1, 0);

CREATE TABLE plugin_grants (
  plugin TEXT NOT NULL,
  level TEXT NOT NULL,
  tenant_id UUID,
  listing_id UUID,
  hosts JSONB NOT NULL,
  enabled BOOLEAN NOT NULL,
  PRIMARY KEY (plugin, level),
  FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE provider_calls (
  id UUID PRIMARY KEY,
  tenant_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  data JSONB NOT NULL
);
CREATE INDEX provider_calls_of_connection ON provider_calls (tenant_id, connection_id, id);
CREATE INDEX provider_calls_by_time ON provider_calls (started_at);

CREATE TABLE idempotency_keys (
  scope UUID NOT NULL,
  key TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  status BIGINT,
  content_type TEXT,
  location TEXT,
  body BYTEA,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

CREATE TABLE audit_log (
  id UUID PRIMARY KEY,
  tenant_id UUID,
  at TIMESTAMPTZ NOT NULL,
  actor TEXT NOT NULL,
  request_id TEXT NOT NULL,
  action TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id UUID NOT NULL,
  data JSONB NOT NULL
);
CREATE INDEX audit_log_of_subject ON audit_log (tenant_id, subject_kind, subject_id, id);
