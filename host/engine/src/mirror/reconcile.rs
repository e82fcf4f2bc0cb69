//! Both sides compared for a period: which bookings one side lacks, and where times, statuses and prices differ. Compared is what the
//! provider said when it was read last; the answer says when that was.

use std::collections::BTreeMap;

use berth_model::{
    booking::{Booking, BookingStatus},
    id::{BookingId, ConnectionId, EventTypeId},
    limits,
    problem::{Code, Problem},
    provider::{ExternalBooking, ExternalStatus},
    sync::{ItemKind, Mirrored},
    time::{Instant, Interval},
};
use berth_store::records::BookingFilter;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Caller, Engine, Outcome, problems::of_store};

/// Event types that are compared.
const EVENT_TYPES_MAX: u32 = 1_000;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// `missing_there`, `missing_here`, `time`, `status`, `price`.
    pub kind: &'static str,
    /// Over which connection.
    pub connection: ConnectionId,
    /// Our booking.
    pub booking: Option<BookingId>,
    /// Our event type, for prices.
    pub event_type: Option<EventTypeId>,
    /// The provider's id.
    pub external_id: Option<String>,
    /// Our value.
    pub ours: Value,
    /// The provider's.
    pub theirs: Value,
}

/// Both sides compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reconciliation {
    /// Bookings that begin from here (inclusive)
    pub from: Instant,
    /// to here (exclusive).
    pub to: Instant,
    /// When the provider's side was read last; none: never to the end.
    pub as_of: Option<Instant>,
    /// Bookings compared on our side, and on the provider's.
    pub ours: usize,
    /// See `ours`.
    pub theirs: usize,
    /// What differs.
    pub differences: Vec<Difference>,
}

impl Engine {
    /// Compare both sides of a connection for a period.
    pub async fn reconcile(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        within: Interval,
    ) -> Outcome<Reconciliation> {
        self.connection(caller, connection).await?;
        if within.end() > within.start().plus_seconds(limits::RECONCILIATION_DAYS_MAX * 86_400) {
            let most = limits::RECONCILIATION_DAYS_MAX;
            return Err(Problem::new(Code::Invalid, format!("The period may have at most {most} days.")));
        }
        let state = self.store().sync_state(caller.tenant, connection).await.map_err(of_store)?;
        let theirs =
            self.store().mirrored_within(caller.tenant, connection, within).await.map_err(of_store)?;
        let ours = self.our_bookings(caller, connection, within).await?;
        let mut differences = compare(connection, &ours, &theirs);
        differences.extend(self.compare_prices(caller, connection).await?);
        Ok(Reconciliation {
            from: within.start(),
            to: within.end(),
            as_of: state.finished_at,
            ours: ours.len(),
            theirs: theirs.len(),
            differences,
        })
    }

    async fn our_bookings(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        within: Interval,
    ) -> Outcome<Vec<Booking>> {
        let most = usize::try_from(limits::RECONCILIATION_ROWS_MAX).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut after = None;
        // Ends: each page begins after the last one.
        loop {
            let filter = BookingFilter {
                connection: Some(connection),
                within: Some(within),
                after,
                ..BookingFilter::default()
            };
            let page = self
                .store()
                .list_bookings(caller.tenant, filter, limits::PAGE_ITEMS_MAX)
                .await
                .map_err(of_store)?;
            let Some(last) = page.last() else { break };
            let position = Some((last.when.start(), last.id));
            // What was stored beyond the years that are known is cut to them when it is read, and would be found again and again.
            if position == after {
                break;
            }
            after = position;
            let begins = |b: &Booking| within.start() <= b.when.start() && b.when.start() < within.end();
            found.extend(page.into_iter().filter(|b| begins(b)));
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }

    async fn compare_prices(&self, caller: &Caller, connection: ConnectionId) -> Outcome<Vec<Difference>> {
        let all = self
            .store()
            .list_event_types(caller.tenant, None, None, EVENT_TYPES_MAX)
            .await
            .map_err(of_store)?;
        let items = self
            .store()
            .mirrored_items(caller.tenant, connection, ItemKind::EventType, "", EVENT_TYPES_MAX)
            .await
            .map_err(of_store)?;
        let items: BTreeMap<&str, &Value> =
            items.iter().map(|item| (item.external_id.as_str(), &item.payload)).collect();
        let differs = |event_type: &berth_model::event_type::EventTypeRecord| {
            let external_id = event_type.external_id.as_deref()?;
            let theirs = items.get(external_id)?.get("price").cloned().unwrap_or(Value::Null);
            let ours = json!(event_type.policy.price);
            (ours != theirs).then(|| Difference {
                kind: "price",
                connection,
                booking: None,
                event_type: Some(event_type.id),
                external_id: Some(external_id.to_owned()),
                ours,
                theirs,
            })
        };
        Ok(all.iter().filter_map(differs).collect())
    }
}

/// What differs between our bookings and the provider's. Pure.
fn compare(connection: ConnectionId, ours: &[Booking], theirs: &[Mirrored]) -> Vec<Difference> {
    let by_id: BTreeMap<&str, &ExternalBooking> =
        theirs.iter().map(|m| (m.external.id.as_str(), &m.external)).collect();
    let mut found = Vec::new();
    for booking in ours {
        let twin = booking.external_id.as_deref().and_then(|id| by_id.get(id));
        let mut differs = |kind, ours: Value, theirs: Value| {
            found.push(Difference {
                kind,
                connection,
                booking: Some(booking.id),
                event_type: None,
                external_id: booking.external_id.clone(),
                ours,
                theirs,
            });
        };
        let Some(twin) = twin else {
            if booking.status.is_active() {
                differs(
                    "missing_there",
                    json!({ "when": booking.when, "status": booking.status.as_str() }),
                    Value::Null,
                );
            }
            continue;
        };
        if booking.when.start() != twin.when.start() && twin.status.is_active() {
            differs("time", json!(booking.when), json!(twin.when));
        }
        if !agree(booking.status, twin.status) {
            differs("status", json!(booking.status.as_str()), json!(twin.status));
        }
    }
    let missing = theirs.iter().filter(|m| {
        m.external.status.is_active()
            && m.booking.is_none()
            && m.external.reference.as_ref().is_some_and(|r| r.parse::<BookingId>().is_ok())
    });
    found.extend(missing.map(|m| Difference {
        kind: "missing_here",
        connection,
        booking: m.booking,
        event_type: None,
        external_id: Some(m.external.id.clone()),
        ours: Value::Null,
        theirs: json!({ "when": m.external.when, "status": m.external.status }),
    }));
    found
}

/// Do these say the same? A provider need not know of completion.
const fn agree(ours: BookingStatus, theirs: ExternalStatus) -> bool {
    use BookingStatus as B;
    use ExternalStatus as E;
    matches!(
        (ours, theirs),
        (B::Pending, E::Pending)
            | (B::Confirmed, E::Confirmed)
            | (B::Cancelled | B::Failed, E::Cancelled)
            | (B::Completed, E::Completed | E::Confirmed)
            | (B::NoShow, E::NoShow | E::Confirmed | E::Completed)
    )
}
