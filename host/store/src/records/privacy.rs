//! What is written of consents.

use berth_model::{
    id::{ConsentId, ConsentTextId, CustomerId, TenantId},
    time::Instant,
};

/// A text to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "see ConsentText")]
pub struct NewConsentText {
    pub id: ConsentTextId,
    pub tenant: TenantId,
    pub purpose: String,
    pub language: String,
    pub text: String,
    pub sha256: [u8; 32],
}

/// What a customer said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "see Consent")]
pub struct NewConsent {
    pub id: ConsentId,
    pub tenant: TenantId,
    pub customer: CustomerId,
    pub purpose: String,
    pub given: bool,
    pub text: Option<ConsentTextId>,
    pub source: String,
    pub ip_truncated: Option<String>,
    pub user_agent: Option<String>,
    pub expires_at: Option<Instant>,
}
