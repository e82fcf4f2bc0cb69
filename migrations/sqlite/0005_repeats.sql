-- What was made under an Idempotency-Key, written with it in one transaction: a repeat after a crash finds it even though the answer
-- was never stored.
ALTER TABLE idempotency_keys ADD COLUMN booking_id BLOB;

-- Requests per minute of this key; none: as the configuration says.
ALTER TABLE api_keys ADD COLUMN requests_per_minute INTEGER;
