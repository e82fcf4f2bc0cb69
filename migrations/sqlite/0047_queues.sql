-- Jobs wait in queues, each with workers of its own, so that what hangs in one never delays another. The order of a queue leads the index;
-- the tenant ends it, since tenants that have their share of the workers are passed over.
--
-- SQLite adds no such column without a default that would hide a forgotten one: the table is made anew.

CREATE TABLE jobs_new (
  id BLOB NOT NULL,
  tenant_id BLOB NOT NULL,
  queue TEXT NOT NULL CHECK (queue IN ('bookings', 'outbound', 'upkeep')),
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
  SELECT id, tenant_id, CASE kind
      WHEN 'sync_booking' THEN 'bookings'
      WHEN 'process_webhooks' THEN 'bookings'
      WHEN 'resolve_conflict' THEN 'bookings'
      WHEN 'sync_connection' THEN 'outbound'
      WHEN 'write_calendars' THEN 'outbound'
      WHEN 'write_blocks' THEN 'outbound'
      WHEN 'look_at_calendar' THEN 'outbound'
      ELSE 'upkeep' END, kind, payload,
    priority, due_at, dedup_key, attempt, leased_until, rerun_at, dead, last_error, created_at, crashes, waits_for FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_new RENAME TO jobs;
CREATE UNIQUE INDEX jobs_dedup ON jobs (tenant_id, dedup_key) WHERE NOT dead;
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (tenant_id, id) WHERE dead;
CREATE INDEX jobs_turn ON jobs (queue, priority, due_at, id, tenant_id) WHERE NOT dead;
CREATE INDEX jobs_dead_key ON jobs (tenant_id, dedup_key) WHERE dead;
CREATE INDEX jobs_stopped ON jobs (waits_for, priority, due_at, id) WHERE waits_for IS NOT NULL AND NOT dead;
