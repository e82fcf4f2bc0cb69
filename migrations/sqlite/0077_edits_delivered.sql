-- What is written on a booking, and whom it is with, is delivered to its provider; until then both are known as they were.
-- A check cannot be changed in place: the column is made anew.
DROP INDEX bookings_unanswered;
ALTER TABLE bookings RENAME COLUMN provider_task TO provider_task_before;
ALTER TABLE bookings ADD COLUMN provider_task TEXT CHECK (provider_task IN ('create', 'cancel', 'reschedule', 'update', 'reassign'));
UPDATE bookings SET provider_task = provider_task_before WHERE provider_task_before IS NOT NULL;
ALTER TABLE bookings DROP COLUMN provider_task_before;
CREATE INDEX bookings_unanswered ON bookings (starts_at) WHERE status = 'pending' AND provider_task IS NULL AND external_id IS NULL;
ALTER TABLE bookings ADD COLUMN undelivered TEXT;
