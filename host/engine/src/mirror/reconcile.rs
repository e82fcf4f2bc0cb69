//! Both sides compared for a period: which bookings one side lacks, and where times, statuses and prices differ. Compared is what the
//! provider said when it was read last; the answer says when that was.

use std::collections::{BTreeMap, BTreeSet};

use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    budget::Budget,
    catalog::event_type::EventTypeRecord,
    id::{BookingId, ConnectionId, EventTypeId},
    limits,
    mirror::sync::{ItemKind, Mirrored},
    outbound::provider::{ExternalBooking, ExternalStatus, Money},
    problem::{Code, Problem},
    time::{Instant, Interval},
};
use berth_store::{StoreError, records::BookingFilter};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Caller, Outcome, mirror::Mirror};

/// Event types that are compared.
const EVENT_TYPES_MAX: u32 = 1_000;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// `missing_there`, `missing_here`, `time`, `status`, `local_changes` (what was changed here alone), `price`.
    pub kind: &'static str,
    /// Over which connection.
    #[serde(rename = "connection_id")]
    pub connection: ConnectionId,
    /// Our booking.
    #[serde(rename = "booking_id")]
    pub booking: Option<BookingId>,
    /// Our event type, for prices.
    #[serde(rename = "event_type_id")]
    pub event_type: Option<EventTypeId>,
    /// The provider's id.
    pub external_id: Option<String>,
    /// Our value.
    pub ours: Value,
    /// The provider's.
    pub theirs: Value,
}

/// What the bookings of both sides cost together, by the price that each side has for the event type now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// ISO 4217.
    pub currency: String,
    /// Our sum, in the currency's smallest units.
    pub ours: i64,
    /// The provider's.
    pub theirs: i64,
}

/// Both sides compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reconciliation {
    /// Over which connection.
    #[serde(rename = "connection_id")]
    pub connection: ConnectionId,
    /// Bookings that begin from here (inclusive)
    pub from: Instant,
    /// to here (exclusive).
    pub to: Instant,
    /// When the provider's side was read last; none: never to the end.
    pub as_of: Option<Instant>,
    /// Bookings on our side, and on the provider's, that take place, or took place; not those that were called off or replaced.
    pub ours: usize,
    /// See `ours`.
    pub theirs: usize,
    /// What these bookings cost, per currency.
    pub totals: Vec<Total>,
    /// What differs.
    pub differences: Vec<Difference>,
}

impl Mirror {
    /// Compare both sides of a connection for a period.
    pub async fn reconcile(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        within: Interval,
    ) -> Outcome<Reconciliation> {
        self.connections.connection(caller, connection).await?;
        if within.end() > within.start().plus_seconds(limits::RECONCILIATION_DAYS_MAX * 86_400) {
            let most = limits::RECONCILIATION_DAYS_MAX;
            return Err(Problem::new(Code::Invalid, format!("The period may have at most {most} days.")));
        }
        let state = self.base.store().sync_state(caller.tenant, connection).await?;
        let theirs = self.base.store().mirrored_within(caller.tenant, connection, within).await?;
        let ours = self.our_bookings(caller, connection, within).await?;
        let prices = self.prices(caller, connection).await?;
        let sides = Sides { connection, within, as_of: state.finished_at, ours, theirs, prices };
        let look = move |budget: &Budget| {
            budget.spend_each(sides.rows())?;
            Ok((sides.elsewhere(), sides))
        };
        let (elsewhere, sides) = self.computing.run(caller.tenant, look).await?;
        let moved = self.moved(caller, connection, elsewhere).await?;
        let compare = move |budget: &Budget| {
            budget.spend_each(sides.rows())?;
            Ok(sides.compared(moved))
        };
        self.computing.run(caller.tenant, compare).await
    }

    /// What was moved out of the period on one side.
    async fn moved(&self, caller: &Caller, connection: ConnectionId, of: Elsewhere) -> Outcome<Moved> {
        let mut moved = Moved::default();
        for id in of.here {
            match self.base.store().booking(caller.tenant, id).await {
                // Else it is shown in a calendar and booked elsewhere.
                Ok(booking) if booking.connection == Some(connection) => moved.ours.push(booking),
                Ok(_) | Err(StoreError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let counterparts = moved.ours.iter().filter_map(|booking| booking.external_id.as_deref());
        let there: BTreeSet<&str> = of.ours.iter().map(String::as_str).chain(counterparts).collect();
        for id in there.into_iter().filter(|id| !of.theirs.contains(*id)) {
            let counterpart = self.base.store().mirrored(caller.tenant, connection, id).await?;
            moved.theirs.extend(counterpart);
        }
        Ok(moved)
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
            let page = self.base.store().list_bookings(caller.tenant, filter, limits::PAGE_ITEMS_MAX).await?;
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

    async fn prices(&self, caller: &Caller, connection: ConnectionId) -> Outcome<Prices> {
        let ours =
            self.base.store().list_event_types(caller.tenant, None, true, None, EVENT_TYPES_MAX).await?;
        let items = self
            .base
            .store()
            .mirrored_items(caller.tenant, connection, ItemKind::EventType, "", EVENT_TYPES_MAX)
            .await?;
        let theirs = items.into_iter().map(|item| (item.external_id, price_in(&item.payload))).collect();
        Ok(Prices { ours, theirs })
    }
}

/// Both sides of a connection as they were read for a period.
struct Sides {
    connection: ConnectionId,
    within: Interval,
    as_of: Option<Instant>,
    ours: Vec<Booking>,
    theirs: Vec<Mirrored>,
    prices: Prices,
}

/// What one side has within the period and the other side may have elsewhere: it was moved then, and is not missing.
struct Elsewhere {
    /// Bookings of ours whose counterparts alone lie within the period.
    here: BTreeSet<BookingId>,
    /// The provider's ids, as ours name them,
    ours: BTreeSet<String>,
    /// and as the provider has them.
    theirs: BTreeSet<String>,
}

/// What was found elsewhere.
#[derive(Default)]
struct Moved {
    ours: Vec<Booking>,
    theirs: Vec<Mirrored>,
}

impl Sides {
    const fn rows(&self) -> usize {
        self.ours.len().saturating_add(self.theirs.len())
    }

    fn elsewhere(&self) -> Elsewhere {
        let here: BTreeSet<BookingId> = self.ours.iter().map(|b| b.id).collect();
        let of_theirs = self.theirs.iter().filter_map(|m| m.booking);
        Elsewhere {
            here: of_theirs.filter(|id| !here.contains(id)).collect(),
            ours: self.ours.iter().filter_map(|b| b.external_id.clone()).collect(),
            theirs: self.theirs.iter().map(|m| m.external.id.clone()).collect(),
        }
    }

    /// What was moved counts for no sum of the period, and is compared.
    fn compared(mut self, moved: Moved) -> Reconciliation {
        let counted = (
            self.ours.iter().filter(|b| is_counted(b)).count(),
            self.theirs.iter().filter(|m| is_counted_there(&m.external)).count(),
        );
        let totals = totals(&self.prices, &self.ours, &self.theirs);
        self.ours.extend(moved.ours);
        self.theirs.extend(moved.theirs);
        let mut differences = compare(self.connection, &self.ours, &self.theirs);
        differences.extend(self.prices.differences(self.connection));
        Reconciliation {
            connection: self.connection,
            from: self.within.start(),
            to: self.within.end(),
            as_of: self.as_of,
            ours: counted.0,
            theirs: counted.1,
            totals,
            differences,
        }
    }
}

/// What both sides have for event types.
struct Prices {
    ours: Vec<EventTypeRecord>,
    /// By the provider's ids.
    theirs: BTreeMap<String, Option<Money>>,
}

fn price_in(event_type: &Value) -> Option<Money> {
    event_type.get("price").and_then(|price| serde_json::from_value(price.clone()).ok())
}

impl Prices {
    fn differences(&self, connection: ConnectionId) -> Vec<Difference> {
        let differs = |event_type: &EventTypeRecord| {
            let external_id = event_type.external_over(connection)?;
            let theirs = self.theirs.get(external_id)?;
            let ours = &event_type.policy.price;
            (ours != theirs).then(|| Difference {
                kind: "price",
                connection,
                booking: None,
                event_type: Some(event_type.id),
                external_id: Some(external_id.to_owned()),
                ours: json!(ours),
                theirs: json!(theirs),
            })
        };
        self.ours.iter().filter_map(differs).collect()
    }
}

/// Does it take place, or did it?
const fn is_counted(booking: &Booking) -> bool {
    !matches!(booking.status, BookingStatus::Cancelled | BookingStatus::Failed)
}

/// The same at the provider, where one that was moved may stay as the one that was replaced.
fn is_counted_there(booking: &ExternalBooking) -> bool {
    booking.status != ExternalStatus::Cancelled && booking.rescheduled_to.is_none()
}

/// The sums of both sides. Pure.
fn totals(prices: &Prices, ours: &[Booking], theirs: &[Mirrored]) -> Vec<Total> {
    let our_price: BTreeMap<EventTypeId, &Money> =
        prices.ours.iter().filter_map(|e| Some((e.id, e.policy.price.as_ref()?))).collect();
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for price in ours.iter().filter(|b| is_counted(b)).filter_map(|b| our_price.get(&b.event_type)) {
        let sum = sums.entry(&price.currency).or_default();
        sum.0 = sum.0.saturating_add(price.minor_units);
    }
    let their_price = |m: &Mirrored| prices.theirs.get(m.external.event_type.as_deref()?)?.as_ref();
    for price in theirs.iter().filter(|m| is_counted_there(&m.external)).filter_map(their_price) {
        let sum = sums.entry(&price.currency).or_default();
        sum.1 = sum.1.saturating_add(price.minor_units);
    }
    let total = |(currency, (ours, theirs)): (&str, (i64, i64))| Total {
        currency: currency.to_owned(),
        ours,
        theirs,
    };
    sums.into_iter().map(total).collect()
}

/// What differs between our bookings and the provider's. Pure.
fn compare(connection: ConnectionId, ours: &[Booking], theirs: &[Mirrored]) -> Vec<Difference> {
    let by_id: BTreeMap<&str, &ExternalBooking> =
        theirs.iter().map(|m| (m.external.id.as_str(), &m.external)).collect();
    let mut found = Vec::new();
    for booking in ours {
        let counterpart = booking.external_id.as_deref().and_then(|id| by_id.get(id));
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
        let Some(counterpart) = counterpart else {
            if booking.status.is_active() {
                differs(
                    "missing_there",
                    json!({ "when": booking.when, "status": booking.status.as_str() }),
                    Value::Null,
                );
            }
            continue;
        };
        if booking.when.start() != counterpart.when.start() && counterpart.status.is_active() {
            differs("time", json!(booking.when), json!(counterpart.when));
        }
        if !booking.local_changes.is_empty() && booking.status.is_active() {
            differs("local_changes", json!(booking.local_changes), Value::Null);
        }
        if !agree(booking.status, counterpart.status) {
            differs("status", json!(booking.status.as_str()), json!(counterpart.status));
        }
    }
    // Whoever made them: ours that was lost here, or somebody else's.
    let missing = theirs.iter().filter(|m| {
        m.external.status.is_active() && m.external.rescheduled_to.is_none() && m.booking.is_none()
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
