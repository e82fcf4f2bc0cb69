-- What bookings are found by: words of the attendee's name, without case and accents, and their address behind an @. Made by the program, which
-- alone knows how words are compared; those of before are given theirs in the background.
CREATE TABLE booking_words (
  tenant_id BLOB NOT NULL,
  booking_id BLOB NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (tenant_id, booking_id, word),
  FOREIGN KEY (tenant_id, booking_id) REFERENCES bookings (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX booking_words_by_word ON booking_words (tenant_id, word, booking_id);
ALTER TABLE bookings ADD COLUMN unsearchable INTEGER NOT NULL DEFAULT 1;
CREATE INDEX bookings_unsearchable ON bookings (tenant_id, id) WHERE unsearchable;

-- When a booking was last moved, here and at its provider: what was asked and not agreed to is no move.
ALTER TABLE bookings ADD COLUMN rescheduled_at INTEGER;
UPDATE bookings SET rescheduled_at = (
    SELECT MAX(a.at) FROM audit_log a
    WHERE a.tenant_id = bookings.tenant_id AND a.subject_kind = 'booking' AND a.subject_id = bookings.id
      AND (a.action = 'booking.reschedule_confirmed'
        OR (a.action IN ('booking.rescheduled', 'booking.changed_by_provider')
          AND json_extract(a.data, '$.previous') IS NOT NULL AND json_extract(a.data, '$.provider_task') IS NULL)));
CREATE INDEX bookings_rescheduled ON bookings (tenant_id, starts_at, id) WHERE rescheduled_at IS NOT NULL;

-- Each order of a list has its index; the most usual one says what is asked of most rows before they are read.
DROP INDEX bookings_by_time;
CREATE INDEX bookings_by_time ON bookings (tenant_id, starts_at, id, ends_at, status);
CREATE INDEX bookings_by_creation ON bookings (tenant_id, created_at, id);
CREATE INDEX bookings_by_change ON bookings (tenant_id, updated_at, id);
DROP INDEX bookings_of_listing;
CREATE INDEX bookings_of_listing ON bookings (tenant_id, listing_id, starts_at, id);
DROP INDEX bookings_of_event_type;
CREATE INDEX bookings_of_event_type ON bookings (tenant_id, event_type_id, starts_at, id);
DROP INDEX bookings_of_series;
CREATE INDEX bookings_of_series ON bookings (tenant_id, series_id, starts_at, id) WHERE series_id IS NOT NULL;
DROP INDEX bookings_of_customer;
CREATE INDEX bookings_of_customer ON bookings (tenant_id, customer_id, starts_at, id) WHERE customer_id IS NOT NULL;
