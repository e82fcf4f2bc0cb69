//! Events: placed after the commit, read by position, waited for.

mod placing;
pub(crate) mod waiting;

use std::sync::Arc;

use berth_model::{
    events::{Cursor, EventKind},
    limits,
    problem::{Code, Problem},
};
use berth_store::records::EventPage;

use self::waiting::NoRoom;
use crate::{Caller, Outcome, base::Base, events::waiting::Waits};

pub use waiting::EventWait;

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    /// After which.
    pub cursor: Cursor,
    /// Of these kinds alone; of all, if none is named.
    pub kinds: Vec<EventKind>,
    /// At most so many, up to [`limits::EVENTS_PAGE_MAX`].
    pub limit: u32,
}

/// What happened, as others are told of it.
pub struct Events {
    pub(crate) base: Base,
    /// Who waits for events.
    pub(crate) event_waits: Arc<Waits>,
}

impl Events {
    /// A tenant's events after a cursor. Answers at once; who wants to wait for what comes takes a place first
    /// ([`Self::wait_for_events`]) and asks again after each piece of news.
    pub async fn events(&self, caller: &Caller, query: &EventQuery) -> Outcome<EventPage> {
        let limit = query.limit.clamp(1, limits::EVENTS_PAGE_MAX);
        Ok(self.base.store().events(caller.tenant, query.cursor, &query.kinds, limit).await?)
    }

    /// A place to wait for this tenant's events. It holds nothing but memory, and is given back when it is dropped.
    pub fn wait_for_events(&self, caller: &Caller) -> Outcome<EventWait> {
        let wait = self.event_waits.enter(caller.tenant);
        wait.map_err(|full| {
            let (code, detail) = match full {
                NoRoom::OfTenant => (
                    Code::TooManyWaiting,
                    format!(
                        "{} requests of this tenant wait for events already.",
                        limits::EVENT_WAITS_PER_TENANT_MAX
                    ),
                ),
                NoRoom::InAll => {
                    (Code::NoRoomToWait, "Too many requests wait for events already.".to_owned())
                }
            };
            Problem::new(code, detail).with_retry_after_seconds(limits::EVENT_WAIT_RETRY_AFTER_SECONDS)
        })
    }
}
