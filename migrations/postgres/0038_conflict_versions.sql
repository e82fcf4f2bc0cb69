-- Is the provider's version our booking's own twin, or another booking? Ids do not say so: a move may give another one.
ALTER TABLE sync_conflicts ADD COLUMN own_twin BOOLEAN NOT NULL DEFAULT FALSE;
-- Both versions in short: what was ignored stays ignored for as long as they are the same.
ALTER TABLE sync_conflicts ADD COLUMN versions TEXT;
-- Whoever ends it has it alone until then.
ALTER TABLE sync_conflicts ADD COLUMN held_until TIMESTAMPTZ;
UPDATE sync_conflicts SET own_twin = TRUE WHERE kind IN ('both_changed', 'vanished_there')
  OR EXISTS (SELECT 1 FROM booking_twins t WHERE t.tenant_id = sync_conflicts.tenant_id
    AND t.external_id = sync_conflicts.external_id AND t.booking_id = sync_conflicts.booking_id
    AND t.connection_id = sync_conflicts.connection_id);
-- A reference alone proves nothing: what was taken for lost was mostly another connection's.
UPDATE sync_conflicts SET status = 'resolved', resolution = 'ignored', resolved_by = 'system', resolved_at = detected_at
  WHERE kind = 'vanished_here' AND status = 'open';
