//! Hearing of changes where a message says only that there are some: the provider is asked what changed since the last time, and the
//! answer is acted on as news is. A list that begins from nothing does not name what is gone, so that a booking of ours which it misses
//! is asked for by itself.

use std::collections::BTreeSet;

use berth_model::{
    booking::Booking,
    connection::ConnectionRecord,
    limits,
    provider::{CallContext, CallError, ChangePage, ExternalBooking, ProviderError},
    time::Interval,
};
use berth_store::{StoreError, records::BookingFilter};
use serde::{Deserialize, Serialize};

use crate::{Engine, webhook_events::CONFLICT};

/// Where the cursor is kept: beside the component's own state, for it is the component's own text and nobody else reads it.
const CURSOR: &str = "berth:changes-cursor";

/// Where the next question begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Position {
    /// None: from nothing.
    cursor: Option<String>,
    /// The list began from nothing, and what it did not name has not been asked for.
    has_unnamed: bool,
}

/// What a list of changes came to.
#[derive(Default)]
struct Heard {
    /// Ids of the twins that were named.
    seen: BTreeSet<String>,
    /// What was done, for people.
    notes: Vec<String>,
}

type Answer<T> = Result<Result<T, CallError>, StoreError>;

impl Engine {
    /// Ask what changed and act on it. A note for people; the inner error: try again later, from where this ended.
    pub(crate) async fn follow_changes(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
    ) -> Answer<String> {
        let kept = self.store().state_get(connection.tenant, connection.id, CURSOR).await?;
        let start = Position { cursor: None, has_unnamed: true };
        let position = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(start.clone());
        let mut heard = Heard::default();
        let mut walked = self.walk(connection, context, position, &mut heard).await?;
        if matches!(walked, Err(CallError::Provider(ProviderError::CursorExpired))) {
            walked = self.walk(connection, context, start, &mut heard).await?;
        }
        Ok(match walked {
            Ok(()) => Ok(told(heard)),
            Err(CallError::NotOffered(_) | CallError::Provider(ProviderError::Unsupported { .. })) => {
                Ok("availability is asked anew".to_owned())
            }
            Err(error) => Err(error),
        })
    }

    /// Page after page; each position is kept once its page is acted on.
    async fn walk(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        mut position: Position,
        heard: &mut Heard,
    ) -> Answer<()> {
        for _ in 0..limits::CHANGE_PAGES_MAX {
            let context = CallContext { call: self.new_id(), ..context.clone() };
            let page =
                self.providers().list_changes(&context, position.cursor, limits::CHANGES_PER_PAGE).await;
            let ChangePage { items, cursor, more } = match page {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            for twin in items {
                if let Err(error) = self.hear(connection, &context, &twin, heard).await? {
                    return Ok(Err(error));
                }
            }
            position.cursor = Some(cursor);
            self.keep(connection, &position).await?;
            if more {
                continue;
            }
            if position.has_unnamed {
                if let Err(error) = self.ask_for_unnamed(connection, &context, heard).await? {
                    return Ok(Err(error));
                }
                position.has_unnamed = false;
                self.keep(connection, &position).await?;
            }
            return Ok(Ok(()));
        }
        // The rest with the next try, which begins here.
        Ok(Err(CallError::Provider(ProviderError::Unavailable { retry_after_ms: None })))
    }

    async fn keep(&self, connection: &ConnectionRecord, position: &Position) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(position).unwrap_or_default();
        match self.store().state_set(connection.tenant, connection.id, CURSOR, bytes).await {
            // The component has filled its state. Without a position the next time begins from nothing.
            Err(StoreError::WrongState) => {
                tracing::warn!(connection = %connection.id, "the position in the provider's changes was not kept");
                Ok(())
            }
            other => other,
        }
    }

    async fn hear(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        twin: &ExternalBooking,
        heard: &mut Heard,
    ) -> Answer<()> {
        heard.seen.insert(twin.id.clone());
        match self.apply_news(connection, context, None, twin).await? {
            Ok(note) => heard.notes.push(note),
            Err(error) => return Ok(Err(error)),
        }
        Ok(Ok(()))
    }

    /// Ask for each of our bookings to come whose twin the list did not name.
    async fn ask_for_unnamed(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        heard: &mut Heard,
    ) -> Answer<()> {
        let (mut after, mut asked) = (None, 0);
        let to_come = Interval::new(self.now(), self.now().plus_seconds(limits::CHANGES_AHEAD_SECONDS)).ok();
        while asked < limits::CHANGES_UNNAMED_MAX {
            let filter = BookingFilter {
                connection: Some(connection.id),
                within: to_come,
                after,
                ..BookingFilter::default()
            };
            let page = self.store().list_bookings(connection.tenant, filter, limits::PAGE_ITEMS_MAX).await?;
            after = page.last().map(|last| (last.when.start(), last.id));
            let unnamed = page
                .iter()
                .filter(|booking| is_settled(booking))
                .filter_map(|booking| booking.external_id.clone().filter(|id| !heard.seen.contains(id)));
            for id in unnamed.collect::<Vec<_>>() {
                asked += 1;
                let context = CallContext { call: self.new_id(), ..context.clone() };
                match self.providers().get_booking(&context, id.clone()).await {
                    Ok(twin) => {
                        if let Err(error) = self.hear(connection, &context, &twin, heard).await? {
                            return Ok(Err(error));
                        }
                    }
                    Err(CallError::Provider(ProviderError::NotFound)) => {
                        heard.notes.push(format!("{id}: the booking is gone at the provider"));
                    }
                    Err(error) => return Ok(Err(error)),
                }
            }
            if after.is_none() {
                break;
            }
        }
        Ok(Ok(()))
    }
}

/// Does it take its time on both sides, with nothing under way?
fn is_settled(booking: &Booking) -> bool {
    booking.status.is_active() && booking.provider_task.is_none()
}

/// One note of what was done, what a person has to look into first.
fn told(heard: Heard) -> String {
    let idle = [": not a booking of ours", ": as it is", ": over already"];
    let mut notes = heard.notes;
    notes.retain(|note| !idle.iter().any(|end| note.ends_with(end)));
    notes.sort_by_key(|note| !note.starts_with(CONFLICT));
    let count = heard.seen.len();
    if notes.is_empty() {
        return format!("{count} changes heard of, none for our bookings");
    }
    notes.truncate(limits::CHANGE_NOTES_MAX);
    format!("{} ({count} changes heard of)", notes.join("; "))
}
