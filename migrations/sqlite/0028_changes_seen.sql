-- What a process remembers of a tenant's setup and of members' places is checked against these before it is used.

-- Counts the changes of what an event type is booked with: the tenant, listings, event types, members, rules, calendars.
ALTER TABLE tenants ADD COLUMN setup_version INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER tenants_setup AFTER UPDATE ON tenants WHEN new.setup_version = old.setup_version BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.id;
END;
CREATE TRIGGER listings_setup_insert AFTER INSERT ON listings BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER listings_setup_update AFTER UPDATE ON listings BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER listings_setup_delete AFTER DELETE ON listings BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;
CREATE TRIGGER event_types_setup_insert AFTER INSERT ON event_types BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER event_types_setup_update AFTER UPDATE ON event_types BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER event_types_setup_delete AFTER DELETE ON event_types BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;
CREATE TRIGGER event_type_members_setup_insert AFTER INSERT ON event_type_members BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER event_type_members_setup_update AFTER UPDATE ON event_type_members BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER event_type_members_setup_delete AFTER DELETE ON event_type_members BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;
CREATE TRIGGER members_setup_insert AFTER INSERT ON members BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
-- A booking changes the version of the member's places and nothing else of the member.
CREATE TRIGGER members_setup_update AFTER UPDATE ON members WHEN new.places_version = old.places_version BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER members_setup_delete AFTER DELETE ON members BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;
CREATE TRIGGER rules_setup_insert AFTER INSERT ON rules BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER rules_setup_update AFTER UPDATE ON rules BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER rules_setup_delete AFTER DELETE ON rules BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;
CREATE TRIGGER calendars_setup_insert AFTER INSERT ON calendars BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER calendars_setup_update AFTER UPDATE ON calendars BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = new.tenant_id;
END;
CREATE TRIGGER calendars_setup_delete AFTER DELETE ON calendars BEGIN
  UPDATE tenants SET setup_version = setup_version + 1 WHERE id = old.tenant_id;
END;

-- The stretches of time that the last changes of a member's places touched, by the version of the places that each change made: a
-- process that remembers a version reads again what was touched since, and not a month for one booking.
CREATE TABLE place_changes (
  tenant_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX place_changes_of_member ON place_changes (tenant_id, member_id, version);

-- Only the last changes are kept: PLACE_CHANGES_KEPT in host/model/src/limits.rs.
CREATE TRIGGER members_places_forget AFTER UPDATE OF places_version ON members BEGIN
  DELETE FROM place_changes
    WHERE tenant_id = new.tenant_id AND member_id = new.id AND version <= new.places_version - 64;
END;
CREATE TRIGGER occupancies_noted_insert AFTER INSERT ON occupancies BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, new.blocked_start, new.blocked_end FROM members
    WHERE tenant_id = new.tenant_id AND id = new.member_id;
END;
CREATE TRIGGER occupancies_noted_update AFTER UPDATE ON occupancies BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, old.blocked_start, old.blocked_end FROM members
    WHERE tenant_id = old.tenant_id AND id = old.member_id;
  INSERT INTO place_changes SELECT tenant_id, id, places_version, new.blocked_start, new.blocked_end FROM members
    WHERE tenant_id = new.tenant_id AND id = new.member_id;
END;
CREATE TRIGGER occupancies_noted_delete AFTER DELETE ON occupancies BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, old.blocked_start, old.blocked_end FROM members
    WHERE tenant_id = old.tenant_id AND id = old.member_id;
END;
CREATE TRIGGER external_bookings_noted_insert AFTER INSERT ON external_bookings WHEN new.member_id IS NOT NULL BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, new.starts_at, new.ends_at FROM members
    WHERE tenant_id = new.tenant_id AND id = new.member_id;
END;
-- A synchronisation writes each row anew, changed or not.
CREATE TRIGGER external_bookings_noted_update AFTER UPDATE ON external_bookings
WHEN old.member_id IS NOT new.member_id OR old.starts_at <> new.starts_at OR old.ends_at <> new.ends_at BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, old.starts_at, old.ends_at FROM members
    WHERE tenant_id = old.tenant_id AND id = old.member_id;
  INSERT INTO place_changes SELECT tenant_id, id, places_version, new.starts_at, new.ends_at FROM members
    WHERE tenant_id = new.tenant_id AND id = new.member_id;
END;
CREATE TRIGGER external_bookings_noted_delete AFTER DELETE ON external_bookings WHEN old.member_id IS NOT NULL BEGIN
  INSERT INTO place_changes SELECT tenant_id, id, places_version, old.starts_at, old.ends_at FROM members
    WHERE tenant_id = old.tenant_id AND id = old.member_id;
END;
