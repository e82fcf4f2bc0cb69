-- Less is written with each booking: most have no connection.
DROP INDEX bookings_of_connection;
CREATE INDEX bookings_of_connection ON bookings (tenant_id, connection_id, external_id) WHERE connection_id IS NOT NULL;
