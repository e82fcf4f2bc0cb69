-- Where a booking takes place, as it was chosen among what its event type offered then.
ALTER TABLE bookings ADD COLUMN location JSONB;
