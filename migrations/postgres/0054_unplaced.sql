-- What has no position yet is few: one index of it is enough, into which every event is written, and taken out again.
DROP INDEX events_unplaced_of_subject;
