-- What a process remembers of a tenant's setup and of members' places is checked against these before it is used.

-- Counts the changes of what an event type is booked with: the tenant, listings, event types, members, rules, calendars.
ALTER TABLE tenants ADD COLUMN setup_version BIGINT NOT NULL DEFAULT 0;

CREATE FUNCTION note_setup() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    UPDATE tenants SET setup_version = setup_version + 1 WHERE id = OLD.tenant_id;
  ELSE
    UPDATE tenants SET setup_version = setup_version + 1 WHERE id = NEW.tenant_id;
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION note_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.setup_version = OLD.setup_version + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER tenants_setup BEFORE UPDATE ON tenants FOR EACH ROW
  WHEN (NEW.setup_version = OLD.setup_version) EXECUTE FUNCTION note_tenant();
CREATE TRIGGER listings_setup AFTER INSERT OR UPDATE OR DELETE ON listings FOR EACH ROW EXECUTE FUNCTION note_setup();
CREATE TRIGGER event_types_setup AFTER INSERT OR UPDATE OR DELETE ON event_types FOR EACH ROW EXECUTE FUNCTION note_setup();
CREATE TRIGGER event_type_members_setup AFTER INSERT OR UPDATE OR DELETE ON event_type_members FOR EACH ROW
  EXECUTE FUNCTION note_setup();
CREATE TRIGGER members_setup AFTER INSERT OR DELETE ON members FOR EACH ROW EXECUTE FUNCTION note_setup();
-- A booking changes the version of the member's places and nothing else of the member.
CREATE TRIGGER members_setup_update AFTER UPDATE ON members FOR EACH ROW
  WHEN (NEW.places_version = OLD.places_version) EXECUTE FUNCTION note_setup();
CREATE TRIGGER rules_setup AFTER INSERT OR UPDATE OR DELETE ON rules FOR EACH ROW EXECUTE FUNCTION note_setup();
CREATE TRIGGER calendars_setup AFTER INSERT OR UPDATE OR DELETE ON calendars FOR EACH ROW EXECUTE FUNCTION note_setup();

-- The stretches of time that the last changes of a member's places touched, by the version of the places that each change made: a
-- process that remembers a version reads again what was touched since, and not a month for one booking.
CREATE TABLE place_changes (
  tenant_id UUID NOT NULL,
  member_id UUID NOT NULL,
  version BIGINT NOT NULL,
  starts_at TIMESTAMPTZ NOT NULL,
  ends_at TIMESTAMPTZ NOT NULL,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX place_changes_of_member ON place_changes (tenant_id, member_id, version);

-- Only the last changes are kept: PLACE_CHANGES_KEPT in host/model/src/limits.rs.
CREATE FUNCTION forget_place_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM place_changes
    WHERE tenant_id = NEW.tenant_id AND member_id = NEW.id AND version <= NEW.places_version - 64;
  RETURN NULL;
END $$;
CREATE TRIGGER members_places_forget AFTER UPDATE OF places_version ON members FOR EACH ROW
  EXECUTE FUNCTION forget_place_changes();
CREATE FUNCTION note_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO place_changes SELECT tenant_id, id, places_version, OLD.blocked_start, OLD.blocked_end FROM members
      WHERE tenant_id = OLD.tenant_id AND id = OLD.member_id;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO place_changes SELECT tenant_id, id, places_version, NEW.blocked_start, NEW.blocked_end FROM members
      WHERE tenant_id = NEW.tenant_id AND id = NEW.member_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER occupancies_noted AFTER INSERT OR UPDATE OR DELETE ON occupancies FOR EACH ROW EXECUTE FUNCTION note_place();
CREATE FUNCTION note_external_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO place_changes SELECT tenant_id, id, places_version, OLD.starts_at, OLD.ends_at FROM members
      WHERE tenant_id = OLD.tenant_id AND id = OLD.member_id;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO place_changes SELECT tenant_id, id, places_version, NEW.starts_at, NEW.ends_at FROM members
      WHERE tenant_id = NEW.tenant_id AND id = NEW.member_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER external_bookings_noted AFTER INSERT OR DELETE ON external_bookings FOR EACH ROW
  EXECUTE FUNCTION note_external_place();
-- A synchronisation writes each row anew, changed or not.
CREATE TRIGGER external_bookings_noted_update AFTER UPDATE ON external_bookings FOR EACH ROW
  WHEN (OLD.member_id IS DISTINCT FROM NEW.member_id OR OLD.starts_at <> NEW.starts_at OR OLD.ends_at <> NEW.ends_at)
  EXECUTE FUNCTION note_external_place();
