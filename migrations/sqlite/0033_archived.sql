-- When a listing or an event type was closed for good: it offers nothing and stays for its bookings.
ALTER TABLE listings ADD COLUMN archived_at INTEGER;
ALTER TABLE event_types ADD COLUMN archived_at INTEGER;
