-- Less is written with each booking. A table that is nothing but its key needs no rows beside it, and most bookings have no connection.
CREATE TABLE place_changes_anew (
  tenant_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, member_id, version, starts_at, ends_at),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO place_changes_anew SELECT tenant_id, member_id, version, starts_at, ends_at FROM place_changes;
DROP TABLE place_changes;
ALTER TABLE place_changes_anew RENAME TO place_changes;

CREATE TABLE customer_keys_anew (
  tenant_id BLOB NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('email', 'phone', 'external')),
  mac BLOB NOT NULL,
  customer_id BLOB NOT NULL,
  PRIMARY KEY (tenant_id, kind, mac, customer_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO customer_keys_anew SELECT tenant_id, kind, mac, customer_id FROM customer_keys;
DROP TABLE customer_keys;
ALTER TABLE customer_keys_anew RENAME TO customer_keys;
CREATE INDEX customer_keys_of_customer ON customer_keys (tenant_id, customer_id);

DROP INDEX bookings_of_connection;
CREATE INDEX bookings_of_connection ON bookings (tenant_id, connection_id, external_id) WHERE connection_id IS NOT NULL;

-- Refuses all of it if a row refers to nothing now.
CREATE TABLE dangling (rows INTEGER NOT NULL CHECK (rows = 0)) STRICT;
INSERT INTO dangling SELECT COUNT(*) FROM pragma_foreign_key_check;
DROP TABLE dangling;
