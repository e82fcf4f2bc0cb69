-- Members' own calendars at providers: read for busy times, written with their bookings, or both.
CREATE TABLE calendars (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  member_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  calendar TEXT NOT NULL,
  reads BOOLEAN NOT NULL,
  writes BOOLEAN NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id)
);
CREATE UNIQUE INDEX calendars_of_member ON calendars (tenant_id, member_id, connection_id, calendar);

-- The entry of a booking in a calendar, and which version of the booking it shows.
CREATE TABLE calendar_entries (
  tenant_id UUID NOT NULL,
  booking_id UUID NOT NULL,
  calendar_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  external_id TEXT,
  written BIGINT NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, booking_id, calendar_id),
  FOREIGN KEY (tenant_id, booking_id) REFERENCES bookings (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendars (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX calendar_entries_by_external ON calendar_entries (tenant_id, connection_id, external_id);
CREATE INDEX calendar_entries_of_calendar ON calendar_entries (tenant_id, calendar_id);
