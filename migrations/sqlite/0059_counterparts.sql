-- What event types are at the providers of several connections: a list of {connection_id, external_id}. Where it is empty, external_id is meant
-- for whichever connection it is booked over, as before.
ALTER TABLE event_types ADD COLUMN counterparts TEXT NOT NULL DEFAULT '[]';
