-- How often in a row a job was taken up and its lease ran out without an end: the process died during it, or it never came back.
ALTER TABLE jobs ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX jobs_dead_key ON jobs (tenant_id, dedup_key) WHERE dead;
