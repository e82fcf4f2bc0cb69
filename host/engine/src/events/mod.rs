//! Events: placed after the commit, read by position, waited for.

mod placing;
pub(crate) mod waiting;

use berth_model::{
    events::{Cursor, EventKind, Head, PastCursor},
    limits,
    problem::{Code, Problem},
};
use berth_store::records::EventPage;
use serde_json::json;

pub use waiting::EventWait;
use waiting::NoRoom;

use crate::{Caller, Engine, Outcome, problems::of_store};

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

impl Engine {
    /// A tenant's events after a cursor. Answers at once; who wants to wait for what comes takes a place first
    /// ([`Self::wait_for_events`]) and asks again after each piece of news.
    pub async fn events(&self, caller: &Caller, query: &EventQuery) -> Outcome<EventPage> {
        let limit = query.limit.clamp(1, limits::EVENTS_PAGE_MAX);
        let page = self.store().events(caller.tenant, query.cursor, &query.kinds, limit).await;
        match page.map_err(of_store)? {
            Ok(page) => Ok(page),
            Err(past) => {
                Err(no_way_on(past, self.store().event_head(caller.tenant).await.map_err(of_store)?))
            }
        }
    }

    /// A place to wait for this tenant's events. It holds nothing but memory, and is given back when it is dropped.
    pub fn wait_for_events(&self, caller: &Caller) -> Outcome<EventWait> {
        let wait = self.inner.event_waits.enter(caller.tenant);
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

/// What a reader is told that cannot go on from its cursor.
fn no_way_on(past: PastCursor, head: Head) -> Problem {
    let begins = head.first.saturating_sub(1);
    let mut problem = match past {
        PastCursor::OtherEpoch => Problem::new(
            Code::FeedBegunAnew,
            format!(
                "The feed was begun anew: this is epoch {}, and its positions are other ones.",
                head.epoch
            ),
        ),
        PastCursor::Forgotten => Problem::new(
            Code::EventsForgotten,
            format!("The oldest event that is kept has the position {}.", head.first),
        ),
        PastCursor::Ahead => {
            Problem::new(Code::PositionAhead, format!("The last event has the position {}.", head.position))
        }
    };
    problem.extra.insert("epoch".to_owned(), json!(head.epoch));
    problem.extra.insert("oldest".to_owned(), json!(begins));
    problem.extra.insert("latest".to_owned(), json!(head.position));
    problem
}
