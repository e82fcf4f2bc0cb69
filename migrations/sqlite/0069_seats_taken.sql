-- How many seats of a shared meeting a booking takes: one, until somebody takes more.
ALTER TABLE bookings ADD COLUMN seats_taken INTEGER NOT NULL DEFAULT 1;
