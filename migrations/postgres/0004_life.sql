-- The life of a booking: shared meetings, several hosts, series, holds, feeds.

-- Who takes part besides the organiser, how many customers share the meeting, and why the organiser was chosen.
ALTER TABLE bookings ADD COLUMN other_members JSONB NOT NULL DEFAULT '[]';
ALTER TABLE bookings ADD COLUMN seats BIGINT NOT NULL DEFAULT 1 CHECK (seats >= 1);
ALTER TABLE bookings ADD COLUMN series_id UUID;
ALTER TABLE bookings ADD COLUMN assignment JSONB;
DROP INDEX bookings_of_event_type;
CREATE INDEX bookings_of_event_type ON bookings (tenant_id, event_type_id, starts_at);
CREATE INDEX bookings_of_series ON bookings (tenant_id, series_id, starts_at) WHERE series_id IS NOT NULL;
CREATE INDEX bookings_ending ON bookings (ends_at) WHERE status = 'confirmed';

-- A session is one meeting with its customers. Whoever does not share has a session of their own.
ALTER TABLE occupancies ADD COLUMN session_id UUID;
ALTER TABLE occupancies ADD COLUMN event_type_id UUID;
-- When a hold is over. It blocks nobody from then on: who takes a place removes those that are in the way.
ALTER TABLE occupancies ADD COLUMN expires_at TIMESTAMPTZ;
UPDATE occupancies SET session_id = gen_random_uuid();
UPDATE occupancies o SET event_type_id = b.event_type_id FROM bookings b
  WHERE b.tenant_id = o.tenant_id AND b.id = o.owner_id AND o.owner_kind = 'booking';
ALTER TABLE occupancies ALTER COLUMN session_id SET NOT NULL;
ALTER TABLE occupancies DROP CONSTRAINT occupancies_no_overlap;
-- The overlap rule (invariant 1): places of one member overlap only within one session, where each seat is taken once.
ALTER TABLE occupancies ADD CONSTRAINT occupancies_no_overlap EXCLUDE USING gist (
  tenant_id WITH =, member_id WITH =, tstzrange(blocked_start, blocked_end) WITH &&, session_id WITH <>);
CREATE UNIQUE INDEX occupancies_seat ON occupancies (tenant_id, member_id, session_id, seat);
DROP INDEX occupancies_by_start;
CREATE INDEX occupancies_by_start ON occupancies (tenant_id, member_id, blocked_start);
CREATE INDEX occupancies_expiring ON occupancies (tenant_id, member_id, blocked_end) WHERE expires_at IS NOT NULL;
CREATE INDEX occupancies_by_expiry ON occupancies (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE holds (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  event_type_id UUID NOT NULL,
  member_id UUID NOT NULL,
  other_members JSONB NOT NULL,
  starts_at TIMESTAMPTZ NOT NULL,
  ends_at TIMESTAMPTZ NOT NULL,
  token_hash BYTEA NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE,
  CHECK (starts_at < ends_at)
);
CREATE INDEX holds_by_end ON holds (expires_at);

CREATE TABLE feeds (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  subject_kind TEXT NOT NULL CHECK (subject_kind IN ('listing', 'member')),
  subject_id UUID NOT NULL,
  token_hash BYTEA NOT NULL UNIQUE,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, subject_kind, subject_id)
);
