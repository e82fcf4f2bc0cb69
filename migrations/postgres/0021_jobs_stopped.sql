-- The connection whose failure stopped a job: when it recovers, the job is due at once instead of after its backoff.
ALTER TABLE jobs ADD COLUMN waits_for UUID;
CREATE INDEX jobs_stopped ON jobs (waits_for, priority, due_at, id) WHERE waits_for IS NOT NULL AND NOT dead;
