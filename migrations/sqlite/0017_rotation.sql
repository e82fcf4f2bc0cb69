-- Secrets that signed messages before they were exchanged, sealed like a connection's credentials: accepted until they end, then erased.
CREATE TABLE old_webhook_secrets (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  id BLOB NOT NULL UNIQUE,
  sealed BLOB NOT NULL,
  ends_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX old_webhook_secrets_by_end ON old_webhook_secrets (ends_at);

-- Subscriptions whose messages they signed: ended at the provider when the next one is there.
CREATE TABLE old_subscriptions (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  id TEXT NOT NULL,
  subscription TEXT NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- Counts the addresses that messages were asked to: a new secret has a new one, since providers keep one subscription per address.
ALTER TABLE connections ADD COLUMN webhook_address INTEGER NOT NULL DEFAULT 0;

-- What waits for its tenant, for the sweep that declines it when its start passes.
CREATE INDEX bookings_unanswered ON bookings (starts_at) WHERE status = 'pending' AND provider_task IS NULL AND external_id IS NULL;
