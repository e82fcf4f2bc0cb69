-- Jobs wait in queues, each with workers of its own, so that what hangs in one never delays another. The order of a queue leads the index;
-- the tenant ends it, since tenants that have their share of the workers are passed over.

ALTER TABLE jobs ADD COLUMN queue TEXT CHECK (queue IN ('bookings', 'outbound', 'upkeep'));
UPDATE jobs SET queue = CASE kind
      WHEN 'sync_booking' THEN 'bookings'
      WHEN 'process_webhooks' THEN 'bookings'
      WHEN 'resolve_conflict' THEN 'bookings'
      WHEN 'sync_connection' THEN 'outbound'
      WHEN 'write_calendars' THEN 'outbound'
      WHEN 'write_blocks' THEN 'outbound'
      WHEN 'look_at_calendar' THEN 'outbound'
      ELSE 'upkeep' END;
ALTER TABLE jobs ALTER COLUMN queue SET NOT NULL;
DROP INDEX jobs_turn;
CREATE INDEX jobs_turn ON jobs (queue, priority, due_at, id, tenant_id) WHERE NOT dead;
