//! When members are open, and what takes their time: for people who look at a calendar, not for customers.

use std::sync::Arc;

use berth_model::{
    catalog::{
        event_type::{EventTypePolicy, EventTypeRecord},
        listing::ListingRecord,
    },
    id::{EventTypeId, ListingId, MemberId},
    intervals::{intersection, merged},
    limits,
    problem::{Code, Problem},
    scheduling::busy::BusyKind,
    time::Interval,
};
use berth_store::records::{BookingSetup, MemberSetup};

use super::{Degraded, SearchRange, SlotResult, SlotSearch, question::UNKNOWN};
use crate::{Caller, Outcome, availability::Availability, connections::routing::BookingContext};

/// Whose time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusyOf {
    /// All who can be booked for it, within its hours.
    EventType(EventTypeId),
    /// A member's own, wherever they are booked.
    Member(MemberId),
}

/// A stretch of a member's time that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenTime {
    /// Whose.
    pub member: MemberId,
    /// The meeting or entry itself, without the time that is kept free around it.
    pub when: Interval,
    /// Is it held for somebody who is about to book?
    pub is_hold: bool,
}

/// When members are open, and what is taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyAnswer {
    /// What is taken, by member and start.
    pub busy: Vec<TakenTime>,
    /// When each is open, taken or not, by member and start.
    pub open: Vec<(MemberId, Interval)>,
    /// What could not be asked.
    pub degraded: Vec<Degraded>,
}

impl SlotResult {
    fn busy(self, within: Interval, of_all: bool) -> BusyAnswer {
        let (mut busy, mut open) = (Vec::new(), Vec::new());
        for (member, host) in self.members.iter().zip(&self.question.hosts) {
            // Of somebody of whom it is not known, what is known is said, and what could not be asked beside it.
            let taken = host.taken.iter().filter(|taken| taken.when != UNKNOWN);
            let mut own: Vec<TakenTime> = taken
                .filter_map(|taken| {
                    let is_hold = matches!(taken.by, BusyKind::Hold | BusyKind::SeatHold);
                    Some(TakenTime { member: *member, when: taken.when.intersection(within)?, is_hold })
                })
                .collect();
            own.sort_unstable_by_key(|taken| (taken.when, taken.is_hold));
            own.dedup();
            busy.extend(own);
            let windows = if of_all { &host.windows } else { &host.unrestricted };
            let windows = intersection(&merged(windows.clone()), &[within]);
            open.extend(windows.into_iter().map(|window| (*member, window)));
        }
        BusyAnswer { busy, open, degraded: self.degraded }
    }
}

/// A member by themselves, as if there were an event type of theirs alone that nothing cuts.
fn alone(MemberSetup { setup, tenant, member, calendars, places }: MemberSetup) -> BookingContext {
    let nobody = uuid::Uuid::nil();
    let (now, zone) = (member.created_at, member.time_zone);
    let listing = ListingRecord {
        id: ListingId::from_uuid(nobody),
        tenant: tenant.id,
        slug: String::new(),
        title: String::new(),
        description: String::new(),
        time_zone: zone,
        currency: None,
        booking_provider: None,
        active: true,
        archived_at: None,
        offer_when_degraded: true,
        revision: 0,
        created_at: now,
        updated_at: now,
    };
    let event_type = EventTypeRecord {
        id: EventTypeId::from_uuid(nobody),
        tenant: tenant.id,
        listing: listing.id,
        slug: String::new(),
        title: String::new(),
        description: String::new(),
        length_minutes: limits::MEETING_MINUTES_MAX,
        slot_interval_minutes: None,
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        minimum_notice_minutes: 0,
        booking_window_days: 0,
        members: vec![member.id],
        policy: EventTypePolicy::default(),
        external_id: None,
        external: Vec::new(),
        active: true,
        archived_at: None,
        revision: 0,
        created_at: now,
        updated_at: now,
    };
    let places = vec![(member.id, places)];
    let records = BookingSetup { setup, tenant, listing, event_type, members: vec![member], calendars };
    BookingContext::here(Arc::new(records), places)
}

impl Availability {
    /// When members are open, and what takes their time within a stretch of at most `AVAILABILITY_DAYS_MAX` days.
    pub async fn busy(&self, caller: &Caller, of: BusyOf, within: Interval) -> Outcome<BusyAnswer> {
        let longest = limits::AVAILABILITY_DAYS_MAX.saturating_mul(86_400_000_000);
        if within.end().micros_since(within.start()) > longest {
            let detail = format!("from and to are more than {} days apart.", limits::AVAILABILITY_DAYS_MAX);
            return Err(Problem::new(Code::MalformedParameter, detail));
        }
        let (ctx, of_all) = match of {
            BusyOf::EventType(id) => (self.contexts.booking_context(caller, id, None).await?, true),
            BusyOf::Member(id) => (alone(self.base.store().member_setup(caller.tenant, id).await?), false),
        };
        let search = SlotSearch::of(ctx.event_type.length_minutes);
        let found = self.find(&caller.request_id, &ctx, search, SearchRange::of(within)).await?;
        Ok(found.busy(within, of_all))
    }
}
