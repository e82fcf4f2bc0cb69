//! What is written of consents.

use std::net::IpAddr;

use berth_model::{
    id::{ConsentId, ConsentTextId, CustomerId, TenantId},
    time::Instant,
};

use super::Audit;

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

/// What a customer says while they book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingConsent {
    /// What. Whose it is, is found with the booking: until then it is nobody's.
    pub said: NewConsent,
    /// The address that they said it from.
    pub address: Option<IpAddr>,
    /// The MAC of the address, once it is made.
    pub ip_mac: Option<Vec<u8>>,
    /// Whom to note.
    pub audit: Audit,
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
