-- Components on their way in: what was uploaded, how far it has come and how it ended. Forgotten after a while.
CREATE TABLE plugin_installations (
  id BLOB PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('checking', 'queued', 'compiling', 'trying', 'installed', 'refused', 'failed')),
  bytes INTEGER NOT NULL,
  digest TEXT,
  problem TEXT,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX plugin_installations_by_time ON plugin_installations (created_at);
