//! What providers said a moment ago, of availability and of what can be booked at them: asked again once it is too old, or once it is known
//! to be no longer true. Each manifest says how long an answer is good; none is longer than what this keeps.

use std::{sync::Arc, time::Duration};

use berth_model::{
    bookings::booking::Booking,
    id::{ConnectionId, EventTypeId},
    limits,
    outbound::provider::{ExternalBusyTime, ExternalEventType, ExternalId, Page},
    time::{Instant, Interval},
    zone::Zone,
};

/// What a provider says of a stretch of time, as it was told: whether a time is our own closing is looked up when it is used, since that is
/// noted meanwhile.
#[derive(Debug, Clone)]
pub(crate) enum RawAvailability {
    /// Only these starts.
    Starts(Arc<[Instant]>),
    /// Not these times.
    Busy(Arc<[ExternalBusyTime]>),
}

/// What a question is about, besides its stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Meetings of so many minutes.
    Meetings(EventTypeId, u32),
    /// The busy times of these calendars, whose days are days in this zone.
    Calendars(Vec<ExternalId>, Zone),
}

/// A question about availability.
pub(crate) type Question = (ConnectionId, Subject, Interval);
/// A page of a provider's list of event types; none: the first.
type CatalogPage = (ConnectionId, Option<String>);

/// A public link of a provider.
type PublicLink = (ConnectionId, String);

/// Answers kept at once; each is a few kilobytes.
const ANSWERS_MAX: u64 = 10_000;

/// Answers of providers, with when they were asked for.
pub(crate) struct ProviderCache {
    answers: moka::future::Cache<Question, (Instant, RawAvailability)>,
    pages: moka::sync::Cache<CatalogPage, (Instant, Page<ExternalEventType>)>,
    links: moka::sync::Cache<PublicLink, (Instant, ExternalEventType)>,
}

impl ProviderCache {
    pub(crate) fn new() -> Self {
        Self {
            answers: moka::future::Cache::builder()
                .max_capacity(ANSWERS_MAX)
                // The manifest's own time is checked on each use.
                .time_to_live(Duration::from_secs(limits::AVAILABILITY_CACHED_SECONDS_MAX.unsigned_abs()))
                .support_invalidation_closures()
                .build(),
            pages: moka::sync::Cache::builder()
                .max_capacity(limits::CATALOG_PAGES_CACHED_MAX)
                .support_invalidation_closures()
                .build(),
            links: moka::sync::Cache::builder()
                .max_capacity(limits::LINKS_CACHED_MAX)
                .support_invalidation_closures()
                .build(),
        }
    }

    /// An answer about availability that is not older than so many seconds.
    pub(crate) async fn answer(
        &self,
        question: &Question,
        seconds: u32,
        now: Instant,
    ) -> Option<RawAvailability> {
        let (asked_at, answer) = self.answers.get(question).await?;
        is_fresh(asked_at, seconds, now).then_some(answer)
    }

    pub(crate) async fn put_answer(&self, question: Question, answer: RawAvailability, now: Instant) {
        self.answers.insert(question, (now, answer)).await;
    }

    /// A page of what can be booked that is not older than so many seconds.
    pub(crate) fn page(
        &self,
        page: &CatalogPage,
        seconds: u32,
        now: Instant,
    ) -> Option<Page<ExternalEventType>> {
        let (asked_at, items) = self.pages.get(page)?;
        is_fresh(asked_at, seconds, now).then_some(items)
    }

    pub(crate) fn put_page(&self, page: CatalogPage, items: Page<ExternalEventType>, now: Instant) {
        self.pages.insert(page, (now, items));
    }

    /// What stands behind a public link, as it was said not longer than so many seconds ago.
    pub(crate) fn link(&self, link: &PublicLink, seconds: u32, now: Instant) -> Option<ExternalEventType> {
        let (asked_at, found) = self.links.get(link)?;
        is_fresh(asked_at, seconds, now).then_some(found)
    }

    pub(crate) fn put_link(&self, link: PublicLink, found: ExternalEventType, now: Instant) {
        self.links.insert(link, (now, found));
    }

    /// What was kept of this connection is no longer true.
    pub(crate) fn invalidate(&self, connection: ConnectionId) {
        // Refused only when a cache was built without the support for it.
        let _ = self.answers.invalidate_entries_if(move |key, _| key.0 == connection);
        let _ = self.pages.invalidate_entries_if(move |key, _| key.0 == connection);
        let _ = self.links.invalidate_entries_if(move |key, _| key.0 == connection);
    }

    /// What was kept of the connection that a booking goes over is no longer true.
    pub(crate) fn invalidate_of(&self, booking: &Booking) {
        if let Some(connection) = booking.connection {
            self.invalidate(connection);
        }
    }
}

fn is_fresh(asked_at: Instant, seconds: u32, now: Instant) -> bool {
    seconds > 0 && asked_at >= now.plus_seconds(-i64::from(seconds))
}
