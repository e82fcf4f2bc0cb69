//! What a case comes to.

use berth_model::plugins::conformance::Verdict;

/// How a case ended, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) detail: String,
}

impl Finding {
    pub(crate) const fn pass() -> Self {
        Self { verdict: Verdict::Pass, detail: String::new() }
    }

    pub(crate) fn fail(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, detail: detail.into() }
    }

    pub(crate) fn not_applicable(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::NotApplicable, detail: detail.into() }
    }

    pub(crate) fn inconclusive(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Inconclusive, detail: detail.into() }
    }
}

/// What a case comes to; an early end is an error.
pub(crate) type Found = Result<Finding, Finding>;
