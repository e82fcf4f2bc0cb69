-- What other programs keep with a booking, and which of its parts were changed here alone although its provider has them otherwise.
ALTER TABLE bookings ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE bookings ADD COLUMN local_changes TEXT;
