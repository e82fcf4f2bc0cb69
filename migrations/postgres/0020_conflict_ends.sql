-- How often the end of a conflict was carried out without a person, and when last: what does not come to rest is left to one.
ALTER TABLE sync_conflicts ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sync_conflicts ADD COLUMN tried_at TIMESTAMPTZ;
-- How often it was found while it was open: found again while it is ended means that it is not over.
ALTER TABLE sync_conflicts ADD COLUMN findings BIGINT NOT NULL DEFAULT 1;
CREATE INDEX sync_conflicts_tried ON sync_conflicts (tenant_id, connection_id, tried_at) WHERE tried_at IS NOT NULL;
