-- Who takes part in a booking besides its organiser, in order. Most bookings have nobody else: `further_members` says how many to look for.
CREATE TABLE booking_members (
  tenant_id UUID NOT NULL,
  booking_id UUID NOT NULL,
  member_id UUID NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, booking_id, member_id),
  FOREIGN KEY (tenant_id, booking_id) REFERENCES bookings (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX booking_members_of_member ON booking_members (tenant_id, member_id, booking_id);
INSERT INTO booking_members (tenant_id, booking_id, member_id, position)
  SELECT b.tenant_id, b.id, m.id, MIN(j.place) - 1
  FROM bookings b CROSS JOIN LATERAL jsonb_array_elements_text(b.other_members) WITH ORDINALITY AS j (member, place)
    JOIN members m ON m.tenant_id = b.tenant_id AND m.id = j.member::uuid
  GROUP BY b.tenant_id, b.id, m.id;
ALTER TABLE bookings ADD COLUMN further_members BIGINT NOT NULL DEFAULT 0;
UPDATE bookings SET further_members = (
    SELECT COUNT(*) FROM booking_members m WHERE m.tenant_id = bookings.tenant_id AND m.booking_id = bookings.id)
  WHERE other_members <> '[]';
ALTER TABLE bookings DROP COLUMN other_members;
