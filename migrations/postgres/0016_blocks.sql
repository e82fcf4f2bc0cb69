-- Times that are closed in members' calendars at providers, because something elsewhere takes them.
ALTER TABLE calendars ADD COLUMN blocks BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE calendar_blocks (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  calendar_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  starts_at TIMESTAMPTZ NOT NULL,
  ends_at TIMESTAMPTZ NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('wanted', 'closed', 'refused')),
  external_id TEXT,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, calendar_id, starts_at, ends_at),
  FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendars (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX calendar_blocks_of_connection ON calendar_blocks (tenant_id, connection_id, starts_at);
CREATE INDEX calendar_blocks_by_end ON calendar_blocks (ends_at);
