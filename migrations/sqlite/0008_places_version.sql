-- Counts the changes of a member's places, so that a process knows whether what it remembers of them still holds.
ALTER TABLE members ADD COLUMN places_version INTEGER NOT NULL DEFAULT 0;
