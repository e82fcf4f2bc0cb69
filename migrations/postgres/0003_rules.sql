-- Availability rules besides weekly hours. What one says is read as a whole; it is searched by whom it bears on and by the stretch of time
-- that it can bear on, whatever the clock.
CREATE TABLE rules (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  id UUID NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('pattern', 'override', 'holiday', 'out_of_office', 'travel', 'restriction_schedule')),
  member_id UUID,
  listing_id UUID,
  event_type_id UUID,
  reach_start TIMESTAMPTZ NOT NULL,
  reach_end TIMESTAMPTZ NOT NULL,
  rule JSONB NOT NULL,
  revision BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, listing_id) REFERENCES listings (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX rules_by_kind ON rules (tenant_id, kind, id);
CREATE INDEX rules_of_member ON rules (tenant_id, member_id, reach_end);
CREATE INDEX rules_of_listing ON rules (tenant_id, listing_id, reach_end);
CREATE INDEX rules_of_event_type ON rules (tenant_id, event_type_id, reach_end);
