-- When a provider's list of event types was last read to its end: what is not on it then is not there.
CREATE TABLE catalog_reads (
  tenant_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  read_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, connection_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);

-- Event types that were saved while their provider could not be asked whether it has their twin.
CREATE TABLE unchecked_twins (
  tenant_id UUID NOT NULL,
  event_type_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  external_id TEXT NOT NULL,
  since TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, event_type_id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE
);
