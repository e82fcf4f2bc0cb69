-- Bookings at providers stand in lists beside ours: by when they take place, without what is kept free around them (starts_at and ends_at are with
-- it), by when they were first seen, and by when something of them was last seen to change.
ALTER TABLE external_bookings ADD COLUMN when_start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE external_bookings ADD COLUMN when_end INTEGER NOT NULL DEFAULT 0;
ALTER TABLE external_bookings ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE external_bookings ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE external_bookings ADD COLUMN unsearchable INTEGER NOT NULL DEFAULT 1;
UPDATE external_bookings SET
  when_start = COALESCE(CAST(ROUND(unixepoch(json_extract(payload, '$.when.start'), 'subsec') * 1000) AS INTEGER) * 1000, starts_at),
  when_end = COALESCE(CAST(ROUND(unixepoch(json_extract(payload, '$.when.end'), 'subsec') * 1000) AS INTEGER) * 1000, ends_at),
  created_at = last_synced_at, updated_at = last_synced_at;
CREATE UNIQUE INDEX external_bookings_by_id ON external_bookings (tenant_id, id);
CREATE INDEX external_bookings_by_start ON external_bookings (tenant_id, when_start, id) WHERE booking_id IS NULL;
CREATE INDEX external_bookings_by_creation ON external_bookings (tenant_id, created_at, id) WHERE booking_id IS NULL;
CREATE INDEX external_bookings_by_change ON external_bookings (tenant_id, updated_at, id) WHERE booking_id IS NULL;
CREATE INDEX external_bookings_unsearchable ON external_bookings (tenant_id, id) WHERE unsearchable;

-- What they are found by, as booking_words are what ours are found by.
CREATE TABLE external_words (
  tenant_id BLOB NOT NULL,
  external_booking_id BLOB NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (tenant_id, external_booking_id, word),
  FOREIGN KEY (tenant_id, external_booking_id) REFERENCES external_bookings (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX external_words_by_word ON external_words (tenant_id, word, external_booking_id);

-- A link that its event type's provider made: over which connection, and where it leads.
ALTER TABLE private_links ADD COLUMN connection_id BLOB;
ALTER TABLE private_links ADD COLUMN url TEXT;
