//! What OpenAPI says of consents.
//!
//! The values themselves, and what may be in them, are the model's; these types are never made. `api/drift.rs` compares them.

#![expect(dead_code, reason = "read by the derive alone")]

use serde::Serialize;
use utoipa::ToSchema;

/// How a purpose stands with a customer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsentState {
    /// Nothing was said.
    Never,
    /// Given, and it holds.
    Given,
    /// Given, and over.
    Expired,
    /// Withdrawn, or refused.
    Withdrawn,
}
