-- The order in which jobs are claimed, so that a claim reads the few that it takes and not all that are due.
DROP INDEX jobs_due;
CREATE INDEX jobs_turn ON jobs (priority, due_at, id) WHERE NOT dead;
