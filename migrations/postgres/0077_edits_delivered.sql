-- What is written on a booking, and whom it is with, is delivered to its provider; until then both are known as they were.
ALTER TABLE bookings DROP CONSTRAINT bookings_provider_task_check;
ALTER TABLE bookings ADD CONSTRAINT bookings_provider_task_check
  CHECK (provider_task IN ('create', 'cancel', 'reschedule', 'update', 'reassign'));
ALTER TABLE bookings ADD COLUMN undelivered JSONB;
