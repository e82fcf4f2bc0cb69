-- Texts that people consent to: never edited, another text is another version.
CREATE TABLE consent_texts (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL,
  purpose TEXT NOT NULL,
  language TEXT NOT NULL,
  version INTEGER NOT NULL,
  text TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  published_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX consent_texts_version ON consent_texts (tenant_id, purpose, language, version);

-- What customers said, one row each time: the last one of a purpose counts. Which is the last one says a number and no clock.
CREATE TABLE consents (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  customer_id BLOB NOT NULL,
  purpose TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  given INTEGER NOT NULL,
  text_id BLOB,
  source TEXT NOT NULL,
  ip_mac BLOB,
  ip_truncated TEXT,
  user_agent TEXT,
  expires_at INTEGER,
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
  FOREIGN KEY (tenant_id, text_id) REFERENCES consent_texts (tenant_id, id),
  CHECK (given = (text_id IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX consents_of_customer ON consents (tenant_id, customer_id, purpose, ordinal);
CREATE INDEX consents_of_text ON consents (tenant_id, text_id) WHERE text_id IS NOT NULL;
