-- Answers to idempotency keys are sealed, and belong to the API key that asked (scope is its id). Those from before stood in clear, also
-- the texts of new API keys: they are forgotten, and a request that is repeated across this migration is a new one.
DELETE FROM idempotency_keys;
ALTER TABLE idempotency_keys DROP COLUMN content_type;
ALTER TABLE idempotency_keys DROP COLUMN location;
ALTER TABLE idempotency_keys DROP COLUMN body;
-- The rights that the request was asked for, as a JSON array: who lacks one by now is not given the answer.
ALTER TABLE idempotency_keys ADD COLUMN rights TEXT;
-- The answer, sealed; none where it is not kept, and then what was made and how to go on.
ALTER TABLE idempotency_keys ADD COLUMN sealed BLOB;
ALTER TABLE idempotency_keys ADD COLUMN made TEXT;
ALTER TABLE idempotency_keys ADD COLUMN instead TEXT;
