-- Clients that an operator registered at a provider. The secret is sealed like a connection's credentials.
CREATE TABLE oauth_clients (
  plugin TEXT NOT NULL,
  credential TEXT NOT NULL,
  client_id TEXT NOT NULL,
  sealed_secret BLOB,
  endpoints TEXT NOT NULL,
  return_addresses TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (plugin, credential)
) STRICT;

-- Flows that wait for a person's consent. Found by the hash of their state, used once.
CREATE TABLE oauth_flows (
  state_hash BLOB PRIMARY KEY,
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  connection_id BLOB NOT NULL,
  is_new INTEGER NOT NULL,
  plugin TEXT NOT NULL,
  credential TEXT NOT NULL,
  sealed BLOB NOT NULL,
  return_to TEXT,
  started_by TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth_flows_of_tenant ON oauth_flows (tenant_id, expires_at);
CREATE INDEX oauth_flows_by_time ON oauth_flows (expires_at);

-- What keeps a connection from working, for people; and who renews its token until when.
ALTER TABLE connections ADD COLUMN status_detail TEXT;
ALTER TABLE connections ADD COLUMN renewing_until INTEGER;
