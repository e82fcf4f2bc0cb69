-- One conflict is open with each booking of others that is in a booking's way, and with each member's calendar, not one for all of them.
UPDATE sync_conflicts SET dedup_key = dedup_key || ':of:' || external_id
WHERE status = 'open' AND NOT own_twin AND booking_id IS NOT NULL AND external_id IS NOT NULL;
UPDATE sync_conflicts SET dedup_key = dedup_key || ':' || COALESCE(theirs ->> 'member', '')
WHERE status = 'open' AND booking_id IS NOT NULL AND external_id IS NULL AND dedup_key LIKE '%:event';
-- What is open about a booking at the provider.
CREATE INDEX sync_conflicts_of_stranger ON sync_conflicts (tenant_id, connection_id, external_id) WHERE status = 'open';
-- What is open about a booking.
CREATE INDEX sync_conflicts_of_booking ON sync_conflicts (tenant_id, booking_id) WHERE status = 'open';
