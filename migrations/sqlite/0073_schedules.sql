-- Named schedules are rules that others name: members by a column, event types in their policy, tenants in their settings. Who names one
-- holds its row in the same transaction.
CREATE TABLE rules_new (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  id BLOB NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN
    ('pattern', 'override', 'holiday', 'out_of_office', 'travel', 'restriction_schedule', 'schedule')),
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
CREATE INDEX rules_by_reach ON rules (tenant_id, kind, reach_end);
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

ALTER TABLE members ADD COLUMN schedule_id BLOB;
CREATE INDEX members_of_schedule ON members (tenant_id, schedule_id) WHERE schedule_id IS NOT NULL;

-- Refuses all of it if a row refers to nothing now.
CREATE TABLE dangling (rows INTEGER NOT NULL CHECK (rows = 0)) STRICT;
INSERT INTO dangling SELECT COUNT(*) FROM pragma_foreign_key_check;
DROP TABLE dangling;
