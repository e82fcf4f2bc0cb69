-- Members' own calendars at providers: read for busy times, written with their bookings, or both.
CREATE TABLE calendars (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  member_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  calendar TEXT NOT NULL,
  reads INTEGER NOT NULL,
  writes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX calendars_of_member ON calendars (tenant_id, member_id, connection_id, calendar);

-- The entry of a booking in a calendar, and which version of the booking it shows.
CREATE TABLE calendar_entries (
  tenant_id BLOB NOT NULL,
  booking_id BLOB NOT NULL,
  calendar_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  external_id TEXT,
  written INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, booking_id, calendar_id),
  FOREIGN KEY (tenant_id, booking_id) REFERENCES bookings (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendars (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX calendar_entries_by_external ON calendar_entries (tenant_id, connection_id, external_id);
CREATE INDEX calendar_entries_of_calendar ON calendar_entries (tenant_id, calendar_id);
