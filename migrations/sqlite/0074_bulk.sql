-- The same change of many bookings: what was asked for, once for each preview, and how it stands with each of them.
CREATE TABLE bulk_operations (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL,
  digest TEXT NOT NULL,
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  overrides INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX bulk_operations_digest ON bulk_operations (tenant_id, digest);
CREATE INDEX bulk_operations_finished ON bulk_operations (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE bulk_items (
  tenant_id BLOB NOT NULL,
  operation_id BLOB NOT NULL,
  position INTEGER NOT NULL,
  booking_id BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'refused')),
  code TEXT,
  detail TEXT,
  PRIMARY KEY (tenant_id, operation_id, position),
  FOREIGN KEY (tenant_id, operation_id) REFERENCES bulk_operations (tenant_id, id) ON DELETE CASCADE
) STRICT;
