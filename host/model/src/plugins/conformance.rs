//! What the conformance suite found in a component: a verdict for each numbered case.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Version of the suite. A new case raises the second number, a changed meaning the first.
pub const SUITE: &str = "1.0";

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As the contract says.
    Pass,
    /// Against the contract.
    Fail,
    /// The component does not offer what the case is about.
    NotApplicable,
    /// The provider, the recording or the set-up did not lead there.
    Inconclusive,
}

impl Verdict {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::NotApplicable => "not applicable",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A case and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseReport {
    /// Stable name: `C042`.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, and what to do; empty for a plain pass.
    pub detail: String,
}

/// All cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the suite.
    pub suite: String,
    /// The cases in their order.
    pub cases: Vec<CaseReport>,
}

impl Report {
    /// The cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| case.verdict == Verdict::Fail)
    }

    /// How many cases ended so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases.iter().filter(|case| case.verdict == verdict).count()
    }
}
