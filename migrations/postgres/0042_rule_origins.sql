-- The event of a calendar that a holiday was made from: its UID and version, so that importing it again adds nothing twice and a newer version
-- replaces it. Read with all holidays of a listing, never searched for.
ALTER TABLE rules ADD COLUMN origin JSONB;
