//! What every use case stands on.

use std::sync::Arc;

use berth_model::{
    id::{AuditEntryId, Id},
    random::Random,
    time::{Clock, Instant},
};
use berth_store::{Store, records::Audit};

use crate::Caller;

/// The database, the time and randomness. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Base {
    store: Store,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Base {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { store, clock, random }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.random
    }

    pub(crate) fn new_id<T>(&self) -> Id<T> {
        Id::new(self.now(), self.random())
    }

    /// The head of an audit row for what this caller does now.
    pub(crate) fn audit(&self, caller: &Caller) -> Audit {
        self.audit_by(&caller.actor, &caller.request_id)
    }

    pub(crate) fn audit_by(&self, actor: &str, request_id: &str) -> Audit {
        Audit {
            id: AuditEntryId::new(self.now(), self.random()),
            at: self.now(),
            actor: actor.to_owned(),
            request_id: request_id.to_owned(),
        }
    }
}
