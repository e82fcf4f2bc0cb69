-- When a provider's list of event types was last read to its end: what is not on it then is not there.
CREATE TABLE catalog_reads (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  read_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- Event types that were saved while their provider could not be asked whether it has their twin.
CREATE TABLE unchecked_twins (
  tenant_id BLOB NOT NULL,
  event_type_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  external_id TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, event_type_id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE
) STRICT;
