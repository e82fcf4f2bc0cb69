-- Secrets that signed messages before they were exchanged, sealed like a connection's credentials: accepted until they end, then erased.
CREATE TABLE old_webhook_secrets (
  tenant_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  id UUID NOT NULL UNIQUE,
  sealed BYTEA NOT NULL,
  ends_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX old_webhook_secrets_by_end ON old_webhook_secrets (ends_at);

-- Subscriptions whose messages they signed: ended at the provider when the next one is there.
CREATE TABLE old_subscriptions (
  tenant_id UUID NOT NULL,
  connection_id UUID NOT NULL,
  id TEXT NOT NULL,
  subscription JSONB NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);

-- Counts the addresses that messages were asked to: a new secret has a new one, since providers keep one subscription per address.
ALTER TABLE connections ADD COLUMN webhook_address BIGINT NOT NULL DEFAULT 0;

-- What waits for its tenant, for the sweep that declines it when its start passes.
CREATE INDEX bookings_unanswered ON bookings (starts_at) WHERE status = 'pending' AND provider_task IS NULL AND external_id IS NULL;
