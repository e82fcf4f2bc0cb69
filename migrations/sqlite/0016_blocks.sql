-- Times that are closed in members' calendars at providers, because something elsewhere takes them.
ALTER TABLE calendars ADD COLUMN blocks INTEGER NOT NULL DEFAULT 0;

CREATE TABLE calendar_blocks (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  calendar_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('wanted', 'closed', 'refused')),
  external_id TEXT,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, calendar_id, starts_at, ends_at),
  FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendars (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX calendar_blocks_of_connection ON calendar_blocks (tenant_id, connection_id, starts_at);
CREATE INDEX calendar_blocks_by_end ON calendar_blocks (ends_at);
