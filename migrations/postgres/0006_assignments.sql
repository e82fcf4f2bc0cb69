-- For round robins: what a member was given of an event type.
CREATE INDEX bookings_assigned ON bookings (tenant_id, member_id, event_type_id, created_at);
