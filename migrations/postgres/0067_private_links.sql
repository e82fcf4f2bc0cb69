-- Links to one event type for those who are given them. What is in an address is a tag of the id: nothing secret is kept.
CREATE TABLE private_links (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  event_type_id UUID NOT NULL,
  name TEXT NOT NULL,
  single_use BOOLEAN NOT NULL,
  uses BIGINT NOT NULL DEFAULT 0,
  last_used_at TIMESTAMPTZ,
  expires_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_type_id) REFERENCES event_types (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX private_links_of_event_type ON private_links (tenant_id, event_type_id, id);
