-- What people decided of a connection, beside whether it works: pause and resume it, disconnect it. A disconnected one keeps its row, for its
-- bookings, and nothing that opens the account.
ALTER TABLE connections ADD COLUMN state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'disconnected'));
-- Rows of a connection that was disconnected are still there: removed in the background, some at a time.
ALTER TABLE connections ADD COLUMN leftovers BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX connections_leftovers ON connections (id) WHERE leftovers;
-- Those whose bookings are shown with a note.
CREATE INDEX connections_stopped ON connections (tenant_id, id) WHERE state <> 'active';

-- What operators decided of a tenant. One that is deleted is removed in the background, some rows at a time.
ALTER TABLE tenants ADD COLUMN state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'deleting'));
CREATE INDEX tenants_deleting ON tenants (id) WHERE state = 'deleting';
