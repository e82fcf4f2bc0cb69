-- Every table of a tenant's has a primary key that begins with the tenant, none has an `id` that is unique beside it, and none is without a
-- key: rows can be told apart, and moved, tenant by tenant. What is the host's own in a table of tenants has the nil tenant.
--
-- SQLite changes no key in place: each table is made anew, in which its rows, indexes and triggers are the same but for what is said. Whoever
-- runs this has foreign keys off (a table that is dropped would take with it what refers to it) and legacy_alter_table on; what refers
-- to nothing afterwards refuses the whole migration, at the end.

-- Alone an id was unique beside the key. It is made at random: nothing needs the second index.
CREATE TABLE listings_new (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  booking_provider BLOB,
  active INTEGER NOT NULL,
  offer_when_degraded INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, booking_provider) REFERENCES connections (tenant_id, id)
) STRICT;
INSERT INTO listings_new
  SELECT tenant_id, id, slug, title, description, time_zone, booking_provider, active, offer_when_degraded, revision, created_at,
    updated_at, archived_at FROM listings;
DROP TABLE listings;
ALTER TABLE listings_new RENAME TO listings;
CREATE UNIQUE INDEX listings_slug ON listings (tenant_id, slug);
CREATE TRIGGER listings_setup_insert AFTER INSERT ON listings BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER listings_setup_update AFTER UPDATE ON listings BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER listings_setup_delete AFTER DELETE ON listings BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;

CREATE TABLE members_new (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  email TEXT,
  time_zone TEXT NOT NULL,
  weekly_hours TEXT NOT NULL,
  active INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
  round_robin INTEGER NOT NULL DEFAULT 1,
  weight INTEGER NOT NULL DEFAULT 100,
  priority INTEGER NOT NULL DEFAULT 2,
  calibration INTEGER NOT NULL DEFAULT 0,
  places_version INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, id)
) STRICT;
INSERT INTO members_new
  SELECT tenant_id, id, name, email, time_zone, weekly_hours, active, revision, created_at, updated_at, role, round_robin, weight,
    priority, calibration, places_version FROM members;
DROP TABLE members;
ALTER TABLE members_new RENAME TO members;
CREATE TRIGGER members_setup_insert AFTER INSERT ON members BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER members_setup_update AFTER UPDATE ON members WHEN new.places_version = old.places_version BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER members_setup_delete AFTER DELETE ON members BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;
CREATE TRIGGER members_places_forget AFTER UPDATE OF places_version ON members BEGIN
  DELETE FROM place_changes
    WHERE tenant_id = new.tenant_id AND member_id = new.id AND version <= new.places_version - 64;
END;

CREATE TABLE event_types_new (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  listing_id BLOB NOT NULL,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  length_minutes INTEGER NOT NULL CHECK (length_minutes BETWEEN 1 AND 1440),
  slot_interval_minutes INTEGER,
  buffer_before_minutes INTEGER NOT NULL,
  buffer_after_minutes INTEGER NOT NULL,
  minimum_notice_minutes INTEGER NOT NULL,
  booking_window_days INTEGER NOT NULL,
  external_id TEXT,
  active INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  policy TEXT NOT NULL DEFAULT '{}',
  archived_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
) STRICT;
INSERT INTO event_types_new
  SELECT tenant_id, id, listing_id, slug, title, description, length_minutes, slot_interval_minutes, buffer_before_minutes,
    buffer_after_minutes, minimum_notice_minutes, booking_window_days, external_id, active, revision, created_at, updated_at,
    policy, archived_at FROM event_types;
DROP TABLE event_types;
ALTER TABLE event_types_new RENAME TO event_types;
CREATE UNIQUE INDEX event_types_slug ON event_types (tenant_id, listing_id, slug);
CREATE TRIGGER event_types_setup_insert AFTER INSERT ON event_types BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER event_types_setup_update AFTER UPDATE ON event_types BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER event_types_setup_delete AFTER DELETE ON event_types BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;

-- Found by their id alone where somebody outside knows no more: an address for messages.
CREATE TABLE connections_new (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL,
  listing_id BLOB,
  plugin TEXT NOT NULL,
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  granted_hosts TEXT,
  status TEXT NOT NULL CHECK (status IN ('healthy', 'unauthorised', 'unavailable')),
  account TEXT NOT NULL,
  subscription TEXT,
  credential_names TEXT NOT NULL,
  sealed_credentials BLOB NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  status_detail TEXT,
  renewing_until INTEGER,
  subscription_due_at INTEGER,
  subscription_failures INTEGER NOT NULL DEFAULT 0,
  subscription_detail TEXT,
  webhook_sources TEXT,
  webhook_address INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'disconnected')),
  leftovers INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id)
) STRICT;
INSERT INTO connections_new
  SELECT tenant_id, id, listing_id, plugin, name, settings, granted_hosts, status, account, subscription, credential_names,
    sealed_credentials, revision, created_at, updated_at, status_detail, renewing_until, subscription_due_at, subscription_failures,
    subscription_detail, webhook_sources, webhook_address, state, leftovers FROM connections;
DROP TABLE connections;
ALTER TABLE connections_new RENAME TO connections;
CREATE INDEX connections_by_id ON connections (id);
CREATE INDEX connections_subscription_due ON connections (subscription_due_at);
CREATE INDEX connections_of_account ON connections (plugin, (account ->> 'id'));
CREATE INDEX connections_leftovers ON connections (id) WHERE leftovers;
CREATE INDEX connections_stopped ON connections (tenant_id, id) WHERE state <> 'active';

CREATE TABLE bookings_new (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  listing_id BLOB NOT NULL,
  event_type_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  connection_id BLOB,
  status TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'cancelled', 'failed', 'completed', 'no_show')),
  provider_task TEXT CHECK (provider_task IN ('create', 'cancel', 'reschedule')),
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  previous_starts_at INTEGER,
  previous_ends_at INTEGER,
  attendee TEXT NOT NULL,
  guests TEXT NOT NULL,
  answers TEXT NOT NULL,
  notes TEXT,
  reason TEXT,
  external_id TEXT,
  external TEXT,
  external_updated_at INTEGER,
  sequence INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  other_members TEXT NOT NULL DEFAULT '[]',
  seats INTEGER NOT NULL DEFAULT 1 CHECK (seats >= 1),
  series_id BLOB,
  assignment TEXT,
  clocks TEXT,
  clocks_noted TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id),
  CHECK (starts_at < ends_at),
  CHECK ((previous_starts_at IS NULL) = (previous_ends_at IS NULL))
) STRICT;
INSERT INTO bookings_new
  SELECT tenant_id, id, listing_id, event_type_id, member_id, connection_id, status, provider_task, starts_at, ends_at,
    previous_starts_at, previous_ends_at, attendee, guests, answers, notes, reason, external_id, external, external_updated_at,
    sequence, created_at, updated_at, other_members, seats, series_id, assignment, clocks, clocks_noted FROM bookings;
DROP TABLE bookings;
ALTER TABLE bookings_new RENAME TO bookings;
CREATE INDEX bookings_by_time ON bookings (tenant_id, starts_at, id);
CREATE INDEX bookings_of_listing ON bookings (tenant_id, listing_id);
CREATE INDEX bookings_of_member ON bookings (tenant_id, member_id, ends_at);
CREATE INDEX bookings_of_connection ON bookings (tenant_id, connection_id, external_id);
CREATE INDEX bookings_of_event_type ON bookings (tenant_id, event_type_id, starts_at);
CREATE INDEX bookings_of_series ON bookings (tenant_id, series_id, starts_at) WHERE series_id IS NOT NULL;
CREATE INDEX bookings_ending ON bookings (ends_at) WHERE status = 'confirmed';
CREATE INDEX bookings_assigned ON bookings (tenant_id, member_id, event_type_id, created_at);
CREATE INDEX bookings_unanswered ON bookings (starts_at) WHERE status = 'pending' AND provider_task IS NULL AND external_id IS NULL;
CREATE INDEX bookings_to_come ON bookings (starts_at, id) WHERE status IN ('pending', 'confirmed');

CREATE TABLE holds_new (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  event_type_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  other_members TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  token_hash BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE,
  CHECK (starts_at < ends_at)
) STRICT;
INSERT INTO holds_new
  SELECT tenant_id, id, event_type_id, member_id, other_members, starts_at, ends_at, token_hash, expires_at, created_at FROM holds;
DROP TABLE holds;
ALTER TABLE holds_new RENAME TO holds;
CREATE INDEX holds_by_end ON holds (expires_at);

CREATE TABLE inbound_webhooks_new (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  dedup_key TEXT NOT NULL,
  method TEXT NOT NULL,
  headers TEXT NOT NULL,
  query TEXT NOT NULL,
  body BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('stored', 'processed', 'ignored', 'failed')),
  detail TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO inbound_webhooks_new
  SELECT tenant_id, id, connection_id, dedup_key, method, headers, query, body, received_at, status, detail FROM inbound_webhooks;
DROP TABLE inbound_webhooks;
ALTER TABLE inbound_webhooks_new RENAME TO inbound_webhooks;
CREATE UNIQUE INDEX inbound_webhooks_dedup ON inbound_webhooks (tenant_id, connection_id, dedup_key);
CREATE INDEX inbound_webhooks_by_time ON inbound_webhooks (received_at);
CREATE INDEX inbound_webhooks_waiting ON inbound_webhooks (tenant_id, connection_id, received_at, id) WHERE status = 'stored';

CREATE TABLE rules_new (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('pattern', 'override', 'holiday', 'out_of_office', 'travel', 'restriction_schedule')),
  member_id BLOB,
  listing_id BLOB,
  event_type_id BLOB,
  reach_start INTEGER NOT NULL,
  reach_end INTEGER NOT NULL,
  rule TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  origin TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO rules_new
  SELECT tenant_id, id, kind, member_id, listing_id, event_type_id, reach_start, reach_end, rule, revision, created_at, updated_at,
    origin FROM rules;
DROP TABLE rules;
ALTER TABLE rules_new RENAME TO rules;
CREATE INDEX rules_by_kind ON rules (tenant_id, kind, id);
CREATE INDEX rules_of_member ON rules (tenant_id, member_id, reach_end);
CREATE INDEX rules_of_listing ON rules (tenant_id, listing_id, reach_end);
CREATE INDEX rules_of_event_type ON rules (tenant_id, event_type_id, reach_end);
CREATE TRIGGER rules_setup_insert AFTER INSERT ON rules BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER rules_setup_update AFTER UPDATE ON rules BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER rules_setup_delete AFTER DELETE ON rules BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;

CREATE TABLE calendars_new (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  calendar TEXT NOT NULL,
  reads INTEGER NOT NULL,
  writes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  blocks INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id)
) STRICT;
INSERT INTO calendars_new
  SELECT tenant_id, id, member_id, connection_id, calendar, reads, writes, created_at, updated_at, blocks FROM calendars;
DROP TABLE calendars;
ALTER TABLE calendars_new RENAME TO calendars;
CREATE UNIQUE INDEX calendars_of_member ON calendars (tenant_id, member_id, connection_id, calendar);
CREATE TRIGGER calendars_setup_insert AFTER INSERT ON calendars BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER calendars_setup_update AFTER UPDATE ON calendars BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER calendars_setup_delete AFTER DELETE ON calendars BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;

-- Their key is what they close; one that is forgotten is named by its id.
CREATE TABLE calendar_blocks_new (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  calendar_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('wanted', 'closed', 'refused')),
  external_id TEXT,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, calendar_id, starts_at, ends_at),
  FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendars (tenant_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO calendar_blocks_new
  SELECT tenant_id, id, calendar_id, connection_id, starts_at, ends_at, state, external_id, updated_at FROM calendar_blocks;
DROP TABLE calendar_blocks;
ALTER TABLE calendar_blocks_new RENAME TO calendar_blocks;
CREATE UNIQUE INDEX calendar_blocks_by_id ON calendar_blocks (tenant_id, id);
CREATE INDEX calendar_blocks_of_connection ON calendar_blocks (tenant_id, connection_id, starts_at);
CREATE INDEX calendar_blocks_by_end ON calendar_blocks (ends_at);

CREATE TABLE external_bookings_new (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  external_id TEXT NOT NULL,
  booking_id BLOB,
  member_id BLOB,
  status TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  event_type TEXT,
  payload TEXT NOT NULL,
  run INTEGER NOT NULL,
  last_synced_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, external_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
) STRICT;
INSERT INTO external_bookings_new
  SELECT tenant_id, id, connection_id, external_id, booking_id, member_id, status, starts_at, ends_at, event_type, payload, run,
    last_synced_at FROM external_bookings;
DROP TABLE external_bookings;
ALTER TABLE external_bookings_new RENAME TO external_bookings;
CREATE INDEX external_bookings_by_time ON external_bookings (tenant_id, connection_id, starts_at);
CREATE INDEX external_bookings_by_run ON external_bookings (tenant_id, connection_id, run);
CREATE INDEX external_bookings_of_member ON external_bookings (tenant_id, member_id, ends_at) WHERE member_id IS NOT NULL;
CREATE TRIGGER external_bookings_noted_insert AFTER INSERT ON external_bookings WHEN new.member_id IS NOT NULL BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, new.starts_at, new.ends_at FROM members
    WHERE tenant_id = new.tenant_id AND id = new.member_id
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER external_bookings_noted_update AFTER UPDATE ON external_bookings
WHEN old.member_id IS NOT new.member_id OR old.starts_at <> new.starts_at OR old.ends_at <> new.ends_at BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, old.starts_at, old.ends_at FROM members
    WHERE tenant_id = old.tenant_id AND id = old.member_id
    ON CONFLICT DO NOTHING;
  INSERT INTO place_changes SELECT tenant_id, id, places_version, new.starts_at, new.ends_at FROM members
    WHERE tenant_id = new.tenant_id AND id = new.member_id
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER external_bookings_noted_delete AFTER DELETE ON external_bookings WHEN old.member_id IS NOT NULL BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, old.starts_at, old.ends_at FROM members
    WHERE tenant_id = old.tenant_id AND id = old.member_id
    ON CONFLICT DO NOTHING;
END;

CREATE TABLE sync_conflicts_new (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  booking_id BLOB,
  external_id TEXT,
  kind TEXT NOT NULL,
  dedup_key TEXT NOT NULL,
  ours TEXT NOT NULL,
  theirs TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'resolved')),
  resolution TEXT,
  resolved_by TEXT,
  detected_at INTEGER NOT NULL,
  resolved_at INTEGER,
  tries INTEGER NOT NULL DEFAULT 0,
  tried_at INTEGER,
  findings INTEGER NOT NULL DEFAULT 1,
  own_twin INTEGER NOT NULL DEFAULT 0 CHECK (own_twin IN (0, 1)),
  versions TEXT,
  held_until INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO sync_conflicts_new
  SELECT tenant_id, id, connection_id, booking_id, external_id, kind, dedup_key, ours, theirs, status, resolution, resolved_by,
    detected_at, resolved_at, tries, tried_at, findings, own_twin, versions, held_until FROM sync_conflicts;
DROP TABLE sync_conflicts;
ALTER TABLE sync_conflicts_new RENAME TO sync_conflicts;
CREATE UNIQUE INDEX sync_conflicts_open ON sync_conflicts (tenant_id, dedup_key) WHERE status = 'open';
CREATE INDEX sync_conflicts_of_connection ON sync_conflicts (tenant_id, connection_id, id);
CREATE INDEX sync_conflicts_tried ON sync_conflicts (tenant_id, connection_id, tried_at) WHERE tried_at IS NOT NULL;
CREATE INDEX sync_conflicts_by_key ON sync_conflicts (tenant_id, dedup_key, id);
CREATE INDEX sync_conflicts_open_of_connection ON sync_conflicts (tenant_id, connection_id, id) WHERE status = 'open';
CREATE INDEX sync_conflicts_of_stranger ON sync_conflicts (tenant_id, connection_id, external_id) WHERE status = 'open';
CREATE INDEX sync_conflicts_of_booking ON sync_conflicts (tenant_id, booking_id) WHERE status = 'open';

CREATE TABLE old_webhook_secrets_new (
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  id BLOB NOT NULL,
  sealed BLOB NOT NULL,
  ends_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO old_webhook_secrets_new SELECT tenant_id, connection_id, id, sealed, ends_at FROM old_webhook_secrets;
DROP TABLE old_webhook_secrets;
ALTER TABLE old_webhook_secrets_new RENAME TO old_webhook_secrets;
CREATE INDEX old_webhook_secrets_by_end ON old_webhook_secrets (ends_at);

CREATE TABLE jobs_new (
  id BLOB NOT NULL,
  tenant_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  priority INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  dedup_key TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  leased_until INTEGER,
  rerun_at INTEGER,
  dead INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  crashes INTEGER NOT NULL DEFAULT 0,
  waits_for BLOB,
  PRIMARY KEY (tenant_id, id)
) STRICT;
INSERT INTO jobs_new
  SELECT id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, leased_until, rerun_at, dead, last_error, created_at,
    crashes, waits_for FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_new RENAME TO jobs;
CREATE UNIQUE INDEX jobs_dedup ON jobs (tenant_id, dedup_key) WHERE NOT dead;
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (tenant_id, id) WHERE dead;
CREATE INDEX jobs_turn ON jobs (priority, due_at, id) WHERE NOT dead;
CREATE INDEX jobs_dead_key ON jobs (tenant_id, dedup_key) WHERE dead;
CREATE INDEX jobs_stopped ON jobs (waits_for, priority, due_at, id) WHERE waits_for IS NOT NULL AND NOT dead;

CREATE TABLE provider_calls_new (
  id BLOB NOT NULL,
  tenant_id BLOB NOT NULL,
  connection_id BLOB NOT NULL,
  started_at INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
INSERT INTO provider_calls_new SELECT id, tenant_id, connection_id, started_at, data FROM provider_calls;
DROP TABLE provider_calls;
ALTER TABLE provider_calls_new RENAME TO provider_calls;
CREATE INDEX provider_calls_of_connection ON provider_calls (tenant_id, connection_id, id);
CREATE INDEX provider_calls_by_time ON provider_calls (started_at);

-- The host's own rows have the nil tenant. No foreign key: they outlive their tenant.
CREATE TABLE audit_log_new (
  id BLOB NOT NULL,
  tenant_id BLOB NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  request_id TEXT NOT NULL,
  action TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id BLOB NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
INSERT INTO audit_log_new
  SELECT id, COALESCE(tenant_id, x'00000000000000000000000000000000'), at, actor, request_id, action, subject_kind, subject_id, data
    FROM audit_log;
DROP TABLE audit_log;
ALTER TABLE audit_log_new RENAME TO audit_log;
CREATE INDEX audit_log_of_subject ON audit_log (tenant_id, subject_kind, subject_id, id);

-- Operators' keys have the nil tenant. Whoever adds a key of a tenant's holds the tenant's row instead of a foreign key.
CREATE TABLE api_keys_new (
  id BLOB NOT NULL,
  tenant_id BLOB NOT NULL,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  requests_per_minute INTEGER,
  sources TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (tenant_id, id)
) STRICT;
INSERT INTO api_keys_new
  SELECT id, COALESCE(tenant_id, x'00000000000000000000000000000000'), name, prefix, hash, scopes, created_at, expires_at,
    revoked_at, last_used_at, requests_per_minute, sources FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE api_keys_new RENAME TO api_keys;

-- Who comes back from a consent brings the state alone.
CREATE TABLE oauth_flows_new (
  state_hash BLOB NOT NULL,
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  connection_id BLOB NOT NULL,
  is_new INTEGER NOT NULL,
  plugin TEXT NOT NULL,
  credential TEXT NOT NULL,
  sealed BLOB NOT NULL,
  return_to TEXT,
  started_by TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, state_hash)
) STRICT;
INSERT INTO oauth_flows_new
  SELECT state_hash, tenant_id, connection_id, is_new, plugin, credential, sealed, return_to, started_by, expires_at FROM
    oauth_flows;
DROP TABLE oauth_flows;
ALTER TABLE oauth_flows_new RENAME TO oauth_flows;
CREATE UNIQUE INDEX oauth_flows_by_state ON oauth_flows (state_hash);
CREATE INDEX oauth_flows_of_tenant ON oauth_flows (tenant_id, expires_at);
CREATE INDEX oauth_flows_by_time ON oauth_flows (expires_at);

-- The instance's grants have the nil tenant.
CREATE TABLE plugin_grants_new (
  plugin TEXT NOT NULL,
  level TEXT NOT NULL,
  tenant_id BLOB NOT NULL,
  listing_id BLOB,
  hosts TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, plugin, level),
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO plugin_grants_new
  SELECT plugin, level, COALESCE(tenant_id, x'00000000000000000000000000000000'), listing_id, hosts, enabled FROM plugin_grants;
DROP TABLE plugin_grants;
ALTER TABLE plugin_grants_new RENAME TO plugin_grants;
CREATE INDEX plugin_grants_of_plugin ON plugin_grants (plugin, level);

-- scope is the id of an API key: its tenant's now, too. What no key is known of nobody can ask for.
CREATE TABLE idempotency_keys_new (
  tenant_id BLOB NOT NULL,
  scope BLOB NOT NULL,
  key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  status INTEGER,
  created_at INTEGER NOT NULL,
  booking_id BLOB,
  rights TEXT,
  sealed BLOB,
  made TEXT,
  instead TEXT,
  PRIMARY KEY (tenant_id, scope, key)
) STRICT;
INSERT INTO idempotency_keys_new
  SELECT k.tenant_id, i.scope, i.key, i.fingerprint, i.status, i.created_at, i.booking_id, i.rights, i.sealed, i.made, i.instead
  FROM idempotency_keys i JOIN api_keys k ON k.id = i.scope;
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_new RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

-- A set: what was touched twice is to be read again once.
CREATE TABLE place_changes_new (
  tenant_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, member_id, version, starts_at, ends_at),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO place_changes_new SELECT DISTINCT tenant_id, member_id, version, starts_at, ends_at FROM place_changes;
DROP TABLE place_changes;
ALTER TABLE place_changes_new RENAME TO place_changes;

-- A seat of a session is the key: it was a unique index.
CREATE TABLE occupancies_new (
  tenant_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  session_id BLOB NOT NULL,
  seat INTEGER NOT NULL,
  blocked_start INTEGER NOT NULL,
  blocked_end INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  owner_kind TEXT NOT NULL CHECK (owner_kind IN ('booking', 'hold', 'block')),
  owner_id BLOB NOT NULL,
  event_type_id BLOB,
  expires_at INTEGER,
  PRIMARY KEY (tenant_id, member_id, session_id, seat),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
  CHECK (blocked_start < blocked_end)
) STRICT;
INSERT INTO occupancies_new
  SELECT tenant_id, member_id, session_id, seat, blocked_start, blocked_end, starts_at, ends_at, owner_kind, owner_id,
    event_type_id, expires_at FROM occupancies;
DROP TABLE occupancies;
ALTER TABLE occupancies_new RENAME TO occupancies;
CREATE INDEX occupancies_of_owner ON occupancies (tenant_id, owner_id);
CREATE INDEX occupancies_by_start ON occupancies (tenant_id, member_id, blocked_start);
CREATE INDEX occupancies_by_end ON occupancies (tenant_id, member_id, blocked_end);
CREATE INDEX occupancies_expiring ON occupancies (tenant_id, member_id, blocked_end) WHERE expires_at IS NOT NULL;
CREATE INDEX occupancies_by_expiry ON occupancies (expires_at) WHERE expires_at IS NOT NULL;
CREATE TRIGGER occupancies_no_overlap_insert BEFORE INSERT ON occupancies BEGIN
  SELECT RAISE(ABORT, 'occupancies_no_overlap') FROM (
    SELECT o.session_id, o.blocked_start, o.blocked_end FROM occupancies o
    WHERE o.tenant_id = new.tenant_id AND o.member_id = new.member_id AND o.blocked_start < new.blocked_end
    ORDER BY o.blocked_start DESC LIMIT 1) last
  WHERE last.blocked_end > new.blocked_start AND (last.session_id <> new.session_id
    OR last.blocked_start <> new.blocked_start OR last.blocked_end <> new.blocked_end);
END;
CREATE TRIGGER occupancies_no_overlap_update
BEFORE UPDATE OF tenant_id, member_id, session_id, blocked_start, blocked_end ON occupancies BEGIN
  SELECT RAISE(ABORT, 'occupancies_no_overlap') FROM (
    SELECT o.session_id, o.blocked_start, o.blocked_end FROM occupancies o
    WHERE o.tenant_id = new.tenant_id AND o.member_id = new.member_id AND o.blocked_start < new.blocked_end
      AND o.rowid <> old.rowid
    ORDER BY o.blocked_start DESC LIMIT 1) last
  WHERE last.blocked_end > new.blocked_start AND (last.session_id <> new.session_id
    OR last.blocked_start <> new.blocked_start OR last.blocked_end <> new.blocked_end);
END;
CREATE TRIGGER occupancies_noted_insert AFTER INSERT ON occupancies BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, new.blocked_start, new.blocked_end FROM members
    WHERE tenant_id = new.tenant_id AND id = new.member_id
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER occupancies_noted_update AFTER UPDATE ON occupancies BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, old.blocked_start, old.blocked_end FROM members
    WHERE tenant_id = old.tenant_id AND id = old.member_id
    ON CONFLICT DO NOTHING;
  INSERT INTO place_changes SELECT tenant_id, id, places_version, new.blocked_start, new.blocked_end FROM members
    WHERE tenant_id = new.tenant_id AND id = new.member_id
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER occupancies_noted_delete AFTER DELETE ON occupancies BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, old.blocked_start, old.blocked_end FROM members
    WHERE tenant_id = old.tenant_id AND id = old.member_id
    ON CONFLICT DO NOTHING;
END;

-- Refuses all of it if a row refers to nothing now.
CREATE TABLE dangling (rows INTEGER NOT NULL CHECK (rows = 0)) STRICT;
INSERT INTO dangling SELECT COUNT(*) FROM pragma_foreign_key_check;
DROP TABLE dangling;
