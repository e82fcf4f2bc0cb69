-- Keys that are there stay on the interface that they were made for.
ALTER TABLE api_keys ADD COLUMN version TEXT NOT NULL DEFAULT '2026-11-20';
