-- The rules of an event type that are read as a whole and never searched; an absent member has its neutral default.
ALTER TABLE event_types ADD COLUMN policy JSONB NOT NULL DEFAULT '{}';

ALTER TABLE members ADD COLUMN role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member', 'viewer'));
ALTER TABLE members ADD COLUMN round_robin BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE members ADD COLUMN weight BIGINT NOT NULL DEFAULT 100;
ALTER TABLE members ADD COLUMN priority BIGINT NOT NULL DEFAULT 2;
ALTER TABLE members ADD COLUMN calibration BIGINT NOT NULL DEFAULT 0;
