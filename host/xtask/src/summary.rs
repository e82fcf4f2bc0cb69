//! Adding up what the test binaries print.

/// Counts over all test binaries.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    /// Lines that say what was skipped and why.
    pub(crate) skipped: Vec<String>,
    /// Names of failed tests.
    pub(crate) failures: Vec<String>,
}

impl Summary {
    /// Take one line of output into account.
    pub(crate) fn line(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
            self.ignored += count(counts, "ignored");
        } else if let Some(name) = line.strip_prefix("test ").and_then(|l| l.strip_suffix(" ... FAILED")) {
            self.failures.push(name.to_owned());
        } else if let Some(at) = line.find("SKIPPED") {
            let said = line.get(at..).unwrap_or(line).to_owned();
            if !self.skipped.contains(&said) {
                self.skipped.push(said);
            }
        }
    }
}

/// The number before a word: `12 passed`.
fn count(text: &str, word: &str) -> u64 {
    let parts = text.split([';', '.']);
    parts
        .filter_map(|part| part.trim().strip_suffix(word)?.trim().rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_failures_and_skips_are_added_up() {
        let mut summary = Summary::default();
        for line in [
            "test a::b ... ok",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test c ... FAILED",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "SKIPPED: no PostgreSQL here",
            "SKIPPED: no PostgreSQL here",
        ] {
            summary.line(line);
        }
        assert_eq!((summary.passed, summary.failed, summary.ignored), (15, 1, 1));
        assert_eq!(summary.failures, ["c"]);
        assert_eq!(summary.skipped, ["SKIPPED: no PostgreSQL here"]);
    }
}
