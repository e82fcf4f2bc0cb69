-- Every table of a tenant's has a primary key that begins with the tenant, none has an `id` that is unique beside it, and none is without a
-- key: rows can be told apart, and moved, tenant by tenant. What is the host's own in a table of tenants has the nil tenant.

-- Alone an id was unique beside the key. It is made at random: nothing needs the second index.
ALTER TABLE listings DROP CONSTRAINT listings_id_key;
ALTER TABLE members DROP CONSTRAINT members_id_key;
ALTER TABLE event_types DROP CONSTRAINT event_types_id_key;
ALTER TABLE connections DROP CONSTRAINT connections_id_key;
ALTER TABLE bookings DROP CONSTRAINT bookings_id_key;
ALTER TABLE holds DROP CONSTRAINT holds_id_key;
ALTER TABLE inbound_webhooks DROP CONSTRAINT inbound_webhooks_id_key;
ALTER TABLE rules DROP CONSTRAINT rules_id_key;
ALTER TABLE calendars DROP CONSTRAINT calendars_id_key;
ALTER TABLE calendar_blocks DROP CONSTRAINT calendar_blocks_id_key;
ALTER TABLE external_bookings DROP CONSTRAINT external_bookings_id_key;
ALTER TABLE sync_conflicts DROP CONSTRAINT sync_conflicts_id_key;
ALTER TABLE old_webhook_secrets DROP CONSTRAINT old_webhook_secrets_id_key;
-- Found by their id alone where somebody outside knows no more: an address for messages.
CREATE INDEX connections_by_id ON connections (id);
-- Their key is what they close; one that is forgotten is named by its id.
CREATE UNIQUE INDEX calendar_blocks_by_id ON calendar_blocks (tenant_id, id);

ALTER TABLE jobs DROP CONSTRAINT jobs_pkey, ADD PRIMARY KEY (tenant_id, id);
ALTER TABLE provider_calls DROP CONSTRAINT provider_calls_pkey, ADD PRIMARY KEY (tenant_id, id);

-- The host's own rows have the nil tenant. No foreign key: they outlive their tenant.
UPDATE audit_log SET tenant_id = '00000000-0000-0000-0000-000000000000' WHERE tenant_id IS NULL;
ALTER TABLE audit_log ALTER COLUMN tenant_id SET NOT NULL, DROP CONSTRAINT audit_log_pkey, ADD PRIMARY KEY (tenant_id, id);

-- Operators' keys have the nil tenant. Whoever adds a key of a tenant's holds the tenant's row instead of a foreign key.
ALTER TABLE api_keys DROP CONSTRAINT api_keys_tenant_id_fkey;
UPDATE api_keys SET tenant_id = '00000000-0000-0000-0000-000000000000' WHERE tenant_id IS NULL;
ALTER TABLE api_keys ALTER COLUMN tenant_id SET NOT NULL, DROP CONSTRAINT api_keys_pkey, ADD PRIMARY KEY (tenant_id, id);
DROP INDEX api_keys_of_tenant;

-- Who comes back from a consent brings the state alone.
ALTER TABLE oauth_flows DROP CONSTRAINT oauth_flows_pkey, ADD PRIMARY KEY (tenant_id, state_hash);
CREATE UNIQUE INDEX oauth_flows_by_state ON oauth_flows (state_hash);

-- The instance's grants have the nil tenant.
ALTER TABLE plugin_grants DROP CONSTRAINT plugin_grants_tenant_id_fkey;
UPDATE plugin_grants SET tenant_id = '00000000-0000-0000-0000-000000000000' WHERE tenant_id IS NULL;
ALTER TABLE plugin_grants ALTER COLUMN tenant_id SET NOT NULL, DROP CONSTRAINT plugin_grants_pkey,
  ADD PRIMARY KEY (tenant_id, plugin, level);
CREATE INDEX plugin_grants_of_plugin ON plugin_grants (plugin, level);

-- scope is the id of an API key: its tenant's now, too. What no key is known of nobody can ask for.
ALTER TABLE idempotency_keys ADD COLUMN tenant_id UUID;
UPDATE idempotency_keys i SET tenant_id = k.tenant_id FROM api_keys k WHERE k.id = i.scope;
DELETE FROM idempotency_keys WHERE tenant_id IS NULL;
ALTER TABLE idempotency_keys ALTER COLUMN tenant_id SET NOT NULL, DROP CONSTRAINT idempotency_keys_pkey,
  ADD PRIMARY KEY (tenant_id, scope, key);

-- A set: what was touched twice is to be read again once.
DELETE FROM place_changes a USING place_changes b
  WHERE a.ctid < b.ctid AND a.tenant_id = b.tenant_id AND a.member_id = b.member_id AND a.version = b.version
    AND a.starts_at = b.starts_at AND a.ends_at = b.ends_at;
ALTER TABLE place_changes ADD PRIMARY KEY (tenant_id, member_id, version, starts_at, ends_at);
DROP INDEX place_changes_of_member;
CREATE OR REPLACE FUNCTION note_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO place_changes SELECT tenant_id, id, places_version, OLD.blocked_start, OLD.blocked_end FROM members
      WHERE tenant_id = OLD.tenant_id AND id = OLD.member_id
      ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO place_changes SELECT tenant_id, id, places_version, NEW.blocked_start, NEW.blocked_end FROM members
      WHERE tenant_id = NEW.tenant_id AND id = NEW.member_id
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION note_external_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO place_changes SELECT tenant_id, id, places_version, OLD.starts_at, OLD.ends_at FROM members
      WHERE tenant_id = OLD.tenant_id AND id = OLD.member_id
      ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO place_changes SELECT tenant_id, id, places_version, NEW.starts_at, NEW.ends_at FROM members
      WHERE tenant_id = NEW.tenant_id AND id = NEW.member_id
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;

-- A seat of a session is the key: it was a unique index.
DROP INDEX occupancies_seat;
ALTER TABLE occupancies ADD PRIMARY KEY (tenant_id, member_id, session_id, seat);
