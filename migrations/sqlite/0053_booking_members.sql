-- Who takes part in a booking besides its organiser, in order. Most bookings have nobody else: `further_members` says how many to look for.
CREATE TABLE booking_members (
  tenant_id BLOB NOT NULL,
  booking_id BLOB NOT NULL,
  member_id BLOB NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, booking_id, member_id),
  FOREIGN KEY (tenant_id, booking_id) REFERENCES bookings (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
) STRICT;
CREATE INDEX booking_members_of_member ON booking_members (tenant_id, member_id, booking_id);
INSERT INTO booking_members (tenant_id, booking_id, member_id, position)
  SELECT b.tenant_id, b.id, m.id, MIN(j.key)
  FROM bookings b JOIN json_each(b.other_members) j
    JOIN members m ON m.tenant_id = b.tenant_id AND m.id = unhex(replace(j.value, '-', ''))
  GROUP BY b.tenant_id, b.id, m.id;
ALTER TABLE bookings ADD COLUMN further_members INTEGER NOT NULL DEFAULT 0;
UPDATE bookings SET further_members = (
    SELECT COUNT(*) FROM booking_members m WHERE m.tenant_id = bookings.tenant_id AND m.booking_id = bookings.id)
  WHERE other_members <> '[]';
ALTER TABLE bookings DROP COLUMN other_members;
