-- What a tenant says of itself to people without a key; nothing is public until it says so.
ALTER TABLE tenants ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE tenants ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
