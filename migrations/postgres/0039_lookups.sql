-- What is looked up for each answer and each reading: our own entries by their time, conflicts by what they are about, open ones by connection.
CREATE INDEX calendar_entries_by_end ON calendar_entries (tenant_id, connection_id, ends_at);
CREATE INDEX sync_conflicts_by_key ON sync_conflicts (tenant_id, dedup_key, id);
CREATE INDEX sync_conflicts_open_of_connection ON sync_conflicts (tenant_id, connection_id, id) WHERE status = 'open';
