-- Subscriptions look after themselves: when each is looked at next, how often that failed in a row, and why.
ALTER TABLE connections ADD COLUMN subscription_due_at INTEGER;
ALTER TABLE connections ADD COLUMN subscription_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN subscription_detail TEXT;
UPDATE connections SET subscription_due_at = created_at;
CREATE INDEX connections_subscription_due ON connections (subscription_due_at);

-- From where messages may come; null: from anywhere.
ALTER TABLE connections ADD COLUMN webhook_sources TEXT;
-- Messages that name only the account.
CREATE INDEX connections_of_account ON connections (plugin, (account ->> 'id'));
-- What waits, in order of arrival.
CREATE INDEX inbound_webhooks_waiting ON inbound_webhooks (tenant_id, connection_id, received_at, id) WHERE status = 'stored';

-- Messages that were refused, counted by reason; their bodies are strangers' and are not kept.
CREATE TABLE webhook_refusals (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  reason TEXT NOT NULL,
  refused INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, reason),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
