-- Whom the tenant calls how: its own ids of its members.
ALTER TABLE members ADD COLUMN user_id TEXT;
CREATE UNIQUE INDEX members_by_user ON members (tenant_id, user_id) WHERE user_id IS NOT NULL;
