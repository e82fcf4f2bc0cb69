-- The life of a booking: shared meetings, several hosts, series, holds, feeds.

-- Who takes part besides the organiser, how many customers share the meeting, and why the organiser was chosen.
ALTER TABLE bookings ADD COLUMN other_members TEXT NOT NULL DEFAULT '[]';
ALTER TABLE bookings ADD COLUMN seats INTEGER NOT NULL DEFAULT 1 CHECK (seats >= 1);
ALTER TABLE bookings ADD COLUMN series_id BLOB;
ALTER TABLE bookings ADD COLUMN assignment TEXT;
DROP INDEX bookings_of_event_type;
CREATE INDEX bookings_of_event_type ON bookings (tenant_id, event_type_id, starts_at);
CREATE INDEX bookings_of_series ON bookings (tenant_id, series_id, starts_at) WHERE series_id IS NOT NULL;
CREATE INDEX bookings_ending ON bookings (ends_at) WHERE status = 'confirmed';

-- A session is one meeting with its customers. Whoever does not share has a session of their own.
CREATE TABLE occupancies_new (
  tenant_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  session_id BLOB NOT NULL,
  seat INTEGER NOT NULL,
  blocked_start INTEGER NOT NULL,
  blocked_end INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  owner_kind TEXT NOT NULL CHECK (owner_kind IN ('booking', 'hold', 'block')),
  owner_id BLOB NOT NULL,
  event_type_id BLOB,
  -- When a hold is over. It blocks nobody from then on: who takes a place removes those that are in the way.
  expires_at INTEGER,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  CHECK (blocked_start < blocked_end)
) STRICT;
INSERT INTO occupancies_new
  SELECT o.tenant_id, o.member_id, randomblob(16), o.seat, o.blocked_start, o.blocked_end, o.starts_at, o.ends_at,
    o.owner_kind, o.owner_id, b.event_type_id, NULL
  FROM occupancies o
  LEFT JOIN bookings b ON b.tenant_id = o.tenant_id AND b.id = o.owner_id AND o.owner_kind = 'booking';
DROP TABLE occupancies;
ALTER TABLE occupancies_new RENAME TO occupancies;
CREATE INDEX occupancies_of_owner ON occupancies (tenant_id, owner_id);
CREATE UNIQUE INDEX occupancies_seat ON occupancies (tenant_id, member_id, session_id, seat);
CREATE INDEX occupancies_by_start ON occupancies (tenant_id, member_id, blocked_start);
CREATE INDEX occupancies_by_end ON occupancies (tenant_id, member_id, blocked_end);
CREATE INDEX occupancies_expiring ON occupancies (tenant_id, member_id, blocked_end) WHERE expires_at IS NOT NULL;
CREATE INDEX occupancies_by_expiry ON occupancies (expires_at) WHERE expires_at IS NOT NULL;

-- The overlap rule (invariant 1): places of one member overlap only within one session, where each seat is taken once and
-- all have the same blocked range. Half-open ranges. Sessions that are here already do not overlap, so their ends have the
-- order of their starts: it is enough to look at the last place that starts before the new one ends.
CREATE TRIGGER occupancies_no_overlap_insert BEFORE INSERT ON occupancies BEGIN
  SELECT RAISE(ABORT, 'occupancies_no_overlap') FROM (
    SELECT o.session_id, o.blocked_start, o.blocked_end FROM occupancies o
    WHERE o.tenant_id = new.tenant_id AND o.member_id = new.member_id AND o.blocked_start < new.blocked_end
    ORDER BY o.blocked_start DESC LIMIT 1) last
  WHERE last.blocked_end > new.blocked_start AND (last.session_id <> new.session_id
    OR last.blocked_start <> new.blocked_start OR last.blocked_end <> new.blocked_end);
END;
CREATE TRIGGER occupancies_no_overlap_update
BEFORE UPDATE OF tenant_id, member_id, session_id, blocked_start, blocked_end ON occupancies BEGIN
  SELECT RAISE(ABORT, 'occupancies_no_overlap') FROM (
    SELECT o.session_id, o.blocked_start, o.blocked_end FROM occupancies o
    WHERE o.tenant_id = new.tenant_id AND o.member_id = new.member_id AND o.blocked_start < new.blocked_end
      AND o.rowid <> old.rowid
    ORDER BY o.blocked_start DESC LIMIT 1) last
  WHERE last.blocked_end > new.blocked_start AND (last.session_id <> new.session_id
    OR last.blocked_start <> new.blocked_start OR last.blocked_end <> new.blocked_end);
END;

CREATE TABLE holds (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  event_type_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  other_members TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  token_hash BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE,
  CHECK (starts_at < ends_at)
) STRICT;
CREATE INDEX holds_by_end ON holds (expires_at);

CREATE TABLE feeds (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  subject_kind TEXT NOT NULL CHECK (subject_kind IN ('listing', 'member')),
  subject_id BLOB NOT NULL,
  token_hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, subject_kind, subject_id)
) STRICT;
