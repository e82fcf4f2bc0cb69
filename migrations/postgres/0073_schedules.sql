-- Named schedules are rules that others name: members by a column, event types in their policy, tenants in their settings. Who names one
-- holds its row in the same transaction.
ALTER TABLE rules DROP CONSTRAINT rules_kind_check;
ALTER TABLE rules ADD CONSTRAINT rules_kind_check CHECK (kind IN
  ('pattern', 'override', 'holiday', 'out_of_office', 'travel', 'restriction_schedule', 'schedule'));
CREATE INDEX rules_by_reach ON rules (tenant_id, kind, reach_end);

ALTER TABLE members ADD COLUMN schedule_id UUID;
CREATE INDEX members_of_schedule ON members (tenant_id, schedule_id) WHERE schedule_id IS NOT NULL;
