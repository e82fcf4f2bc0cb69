-- The currency of a listing's prices, where they are written without one.
ALTER TABLE listings ADD COLUMN currency TEXT;
