-- Components on their way in: what was uploaded, how far it has come and how it ended. Forgotten after a while.
CREATE TABLE plugin_installations (
  id UUID PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('checking', 'queued', 'compiling', 'trying', 'installed', 'refused', 'failed')),
  bytes BIGINT NOT NULL,
  digest TEXT,
  problem JSONB,
  created_at TIMESTAMPTZ NOT NULL,
  seen_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX plugin_installations_by_time ON plugin_installations (created_at);
