-- Customers: who bookings are for. Found by keys: MACs of an address under the tenant's own key, which the vault seals. An address may lead to
-- several customers, since a family has one.
CREATE TABLE customers (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  email TEXT,
  phone TEXT,
  -- A MAC of name and address together: two bookings of one new person that are made at once find the same customer by it.
  identity BYTEA,
  revision BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  last_seen_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX customers_identity ON customers (tenant_id, identity);

CREATE TABLE customer_keys (
  tenant_id UUID NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('email', 'phone', 'external')),
  mac BYTEA NOT NULL,
  customer_id UUID NOT NULL,
  PRIMARY KEY (tenant_id, kind, mac, customer_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX customer_keys_of_customer ON customer_keys (tenant_id, customer_id);

-- Made when it is needed first.
ALTER TABLE tenants ADD COLUMN sealed_mac_key BYTEA;

-- Those of before are given theirs in the background: a MAC cannot be made here.
ALTER TABLE bookings ADD COLUMN customer_id UUID;
CREATE INDEX bookings_of_customer ON bookings (tenant_id, customer_id, starts_at) WHERE customer_id IS NOT NULL;
CREATE INDEX bookings_without_customer ON bookings (tenant_id, id) WHERE customer_id IS NULL;
ALTER TABLE external_bookings ADD COLUMN customer_id UUID;
-- Nobody has looked yet whom it is for: with some, nobody can be found.
ALTER TABLE external_bookings ADD COLUMN unidentified BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX external_bookings_of_customer ON external_bookings (tenant_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX external_bookings_unidentified ON external_bookings (tenant_id, connection_id, external_id)
  WHERE unidentified;

-- Who may read bookings sees whom they are for.
UPDATE api_keys SET scopes = scopes || '["customers:read"]' WHERE scopes @> '["bookings:read"]';
