-- What clocks showed at the start of a booking when it was made or moved: other data of time zones may say otherwise.
ALTER TABLE bookings ADD COLUMN clocks JSONB;
-- The last showing that was noted in the timeline.
ALTER TABLE bookings ADD COLUMN clocks_noted JSONB;
CREATE INDEX bookings_to_come ON bookings (starts_at, id) WHERE status IN ('pending', 'confirmed');
