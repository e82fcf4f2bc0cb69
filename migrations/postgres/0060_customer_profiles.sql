-- What a tenant writes of its customers, how they are looked for, and who became part of whom.
ALTER TABLE customers ADD COLUMN language TEXT;
ALTER TABLE customers ADD COLUMN notes TEXT;
ALTER TABLE customers ADD COLUMN blocked_at TIMESTAMPTZ;
ALTER TABLE customers ADD COLUMN blocked_reason TEXT;
-- The customer that this one became part of: all that was theirs is there.
ALTER TABLE customers ADD COLUMN merged_into UUID;
-- The name as lists are in its order, and the text in which parts of names and addresses are looked for: without case and accents, which
-- cannot be done here. Those of before are written in the background.
ALTER TABLE customers ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN search TEXT;
CREATE INDEX customers_by_name ON customers (tenant_id, name_key, id) INCLUDE (search);
CREATE INDEX customers_by_seen ON customers (tenant_id, last_seen_at, id);
CREATE INDEX customers_unfolded ON customers (tenant_id, id) WHERE search IS NULL;
CREATE INDEX customers_merged ON customers (tenant_id, merged_into) WHERE merged_into IS NOT NULL;
-- A customer's keys are read whole, by their customer.
DROP INDEX customer_keys_of_customer;
CREATE INDEX customer_keys_of_customer ON customer_keys (tenant_id, customer_id, kind, mac);

CREATE TABLE customer_tags (
  tenant_id UUID NOT NULL,
  customer_id UUID NOT NULL,
  tag TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, customer_id, tag),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX customer_tags_of_tag ON customer_tags (tenant_id, tag, customer_id);

-- Of whom somebody said that they are two people, the older one first: it is not asked again.
CREATE TABLE customers_apart (
  tenant_id UUID NOT NULL,
  one_id UUID NOT NULL,
  other_id UUID NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, one_id, other_id),
  FOREIGN KEY (tenant_id, one_id) REFERENCES customers (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, other_id) REFERENCES customers (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX customers_apart_of_other ON customers_apart (tenant_id, other_id);

-- MACs of the addresses of a provider's clients, by which a customer's ids at providers are found: written when they are read next.
ALTER TABLE external_items ADD COLUMN email_mac BYTEA;
ALTER TABLE external_items ADD COLUMN phone_mac BYTEA;
CREATE INDEX external_items_email ON external_items (tenant_id, email_mac) WHERE email_mac IS NOT NULL;
CREATE INDEX external_items_phone ON external_items (tenant_id, phone_mac) WHERE phone_mac IS NOT NULL;
