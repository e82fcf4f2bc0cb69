//! What OpenAPI says of conformance.
//!
//! The values themselves, and what may be in them, are the model's; these types are never made. `api/drift.rs` compares them.

#![expect(dead_code, reason = "read by the derive alone")]

use serde::Serialize;
use utoipa::ToSchema;

/// How a case ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// As the contract says.
    Pass,
    /// Against the contract.
    Fail,
    /// The component does not offer what the case is about.
    NotApplicable,
    /// The provider, the recording or the set-up did not lead there.
    Inconclusive,
}

/// A case and how it ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct CaseReport {
    /// Stable name: `C042`.
    #[schema(pattern = "^C[0-9]{3}$")]
    id: String,
    /// What it shows.
    title: String,
    /// How it ended.
    verdict: Verdict,
    /// Why, and what to do; empty for a plain pass.
    detail: String,
}

/// All cases.
#[derive(Serialize, ToSchema)]
pub(crate) struct Report {
    /// Version of the suite.
    suite: String,
    /// The cases in their order.
    cases: Vec<CaseReport>,
}
