-- The same change of many bookings: what was asked for, once for each preview, and how it stands with each of them.
CREATE TABLE bulk_operations (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  id UUID NOT NULL,
  digest TEXT NOT NULL,
  action JSONB NOT NULL,
  actor TEXT NOT NULL,
  overrides BOOLEAN NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX bulk_operations_digest ON bulk_operations (tenant_id, digest);
CREATE INDEX bulk_operations_finished ON bulk_operations (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE bulk_items (
  tenant_id UUID NOT NULL,
  operation_id UUID NOT NULL,
  position BIGINT NOT NULL,
  booking_id UUID NOT NULL,
  sequence BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'refused')),
  code TEXT,
  detail TEXT,
  PRIMARY KEY (tenant_id, operation_id, position),
  FOREIGN KEY (tenant_id, operation_id) REFERENCES bulk_operations (tenant_id, id) ON DELETE CASCADE
);
