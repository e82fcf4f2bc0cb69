-- When the calendars of members were looked at last for events over their bookings, and what is wrong with them.
CREATE TABLE calendar_looks (
  tenant_id UUID NOT NULL,
  calendar_id UUID NOT NULL,
  looked_at TIMESTAMPTZ NOT NULL,
  trouble TEXT,
  PRIMARY KEY (tenant_id, calendar_id),
  FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendars (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX calendar_looks_by_age ON calendar_looks (looked_at);
INSERT INTO calendar_looks (tenant_id, calendar_id, looked_at) SELECT tenant_id, id, TIMESTAMPTZ 'epoch' FROM calendars;

-- Times that we closed at a provider and opened again a moment ago: an answer that was read before may still tell them.
CREATE TABLE opened_blocks (
  tenant_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  external_id TEXT NOT NULL,
  opened_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, external_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX opened_blocks_by_age ON opened_blocks (opened_at);

-- The time that an entry shows: until it is brought up to date, that is the time of no stranger.
ALTER TABLE calendar_entries ADD COLUMN starts_at TIMESTAMPTZ;
ALTER TABLE calendar_entries ADD COLUMN ends_at TIMESTAMPTZ;
