-- What the conformance suite found when a version was installed.
ALTER TABLE plugin_versions ADD COLUMN conformance TEXT;
