-- Every id that a booking of ours has had at its provider: proof that it is ours, also after a move gave it another one.
CREATE TABLE booking_twins (
  tenant_id BLOB NOT NULL,
  external_id TEXT NOT NULL,
  connection_id BLOB NOT NULL,
  booking_id BLOB NOT NULL,
  PRIMARY KEY (tenant_id, external_id, connection_id, booking_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, booking_id) REFERENCES bookings (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX booking_twins_of_booking ON booking_twins (tenant_id, booking_id);
INSERT INTO booking_twins (tenant_id, external_id, connection_id, booking_id)
  SELECT tenant_id, external_id, connection_id, id FROM bookings WHERE connection_id IS NOT NULL AND external_id IS NOT NULL
  UNION SELECT x.tenant_id, x.external_id, x.connection_id, x.booking_id FROM external_bookings x
    JOIN bookings b ON b.tenant_id = x.tenant_id AND b.id = x.booking_id AND b.connection_id = x.connection_id;
