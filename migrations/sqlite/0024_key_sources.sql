-- The networks that an API key may be used from; none: from anywhere.
ALTER TABLE api_keys ADD COLUMN sources TEXT NOT NULL DEFAULT '[]';
