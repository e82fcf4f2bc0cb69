-- A message that names no connection is tried against the secrets of a few connections to its provider, whoever sent it: finding them takes no
-- longer however many there are.
CREATE INDEX connections_unsubscribed ON connections (plugin, id) WHERE subscription IS NULL;
CREATE INDEX connections_subscribed ON connections (plugin, id) WHERE subscription IS NOT NULL;

-- Whether busy times are read and written over a connection: what its rules of synchronisation come to.
ALTER TABLE connections ADD COLUMN reads_busy BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE connections ADD COLUMN writes_busy BOOLEAN NOT NULL DEFAULT TRUE;
