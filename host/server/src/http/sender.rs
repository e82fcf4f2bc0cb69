//! Whose an Idempotency-Key is: of an API key, or of those who ask without one.

use axum::http::Extensions;
use berth_model::problem::Problem;
use berth_store::records::IdempotencyKey;

use super::{auth::Authenticated, public::Visitor};

/// Who sends an Idempotency-Key.
#[derive(Debug, Clone)]
pub(super) enum Sender {
    Key(Authenticated),
    Visitor(Visitor),
}

impl Sender {
    /// Of a request that came so far.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        let key = extensions.get::<Authenticated>().cloned().map(Self::Key);
        key.or_else(|| extensions.get::<Visitor>().cloned().map(Self::Visitor))
    }

    /// The key within the sender's own.
    pub(super) fn key(&self, key: String) -> IdempotencyKey {
        match self {
            Self::Key(caller) => IdempotencyKey { tenant: caller.key.tenant, holder: caller.key.id, key },
            Self::Visitor(visitor) => visitor.key(key),
        }
    }

    /// Let what is made in the request be written down with its key.
    pub(super) fn reserve(extensions: &mut Extensions, key: &IdempotencyKey) {
        if let Some(caller) = extensions.get_mut::<Authenticated>() {
            caller.idempotency_key = Some(key.clone());
        }
        if let Some(visitor) = extensions.get_mut::<Visitor>() {
            visitor.idempotency_key = Some(key.clone());
        }
    }

    /// Does the sender still have the rights that the first answer rested on?
    pub(super) fn check(&self, rights: &[String]) -> Result<(), Problem> {
        match self {
            Self::Key(caller) => rights.iter().try_for_each(|scope| caller.check_named(scope)),
            Self::Visitor(_) => Ok(()),
        }
    }

    /// The rights that the answer rests on.
    pub(super) fn rights(&self) -> Vec<String> {
        match self {
            Self::Key(caller) => caller.asked(),
            Self::Visitor(_) => Vec::new(),
        }
    }

    /// Is a refusal kept for repeats? Not for strangers, who could fill the table with them; nothing was made, and they are refused again.
    pub(super) const fn keeps_refusals(&self) -> bool {
        matches!(self, Self::Key(_))
    }
}
