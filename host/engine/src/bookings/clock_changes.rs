//! Laws change what clocks show. Hours and patterns are wall clocks, and follow by themselves; a booking is an instant that somebody was told as
//! a wall clock. None is ever moved by itself: what now shows another time than was told is listed and noted, and the tenant chooses.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use berth_model::{
    bookings::{
        booking::Booking,
        clocks::{ClockChange, Clocks, Keep},
    },
    id::BookingId,
    limits,
    problem::{Code, Problem},
    time::{Instant, Interval},
    zone,
};
use berth_store::{
    StoreError,
    records::{BookingClocks, BookingFilter},
};
use serde_json::json;

use crate::{BookOutcome, Caller, Outcome, RescheduleBooking, bookings::Bookings};

impl Bookings {
    /// Bookings to come, after one, whose clocks show another time than was told, and where to go on. At most
    /// [`limits::CLOCKS_LOOKED_AT_ONCE`] bookings are looked at, so a page may have fewer than asked for, and a next one.
    pub async fn clock_changes(
        &self,
        caller: &Caller,
        after: Option<(Instant, BookingId)>,
        limit: usize,
    ) -> Outcome<(Vec<ClockChange>, Option<(Instant, BookingId)>)> {
        let now = self.base.now();
        let mut found = Vec::new();
        let mut after = after;
        let mut looked = 0;
        while looked < limits::CLOCKS_LOOKED_AT_ONCE {
            let filter = BookingFilter {
                within: Interval::new(now, Instant::MAX).ok(),
                after,
                ..BookingFilter::default()
            };
            let bookings =
                self.base.store().list_bookings(caller.tenant, filter, limits::PAGE_ITEMS_MAX).await;
            let bookings = bookings?;
            let is_last = bookings.len() < usize::try_from(limits::PAGE_ITEMS_MAX).unwrap_or(usize::MAX);
            for booking in bookings {
                if found.len() >= limit {
                    return Ok((found, after));
                }
                looked = looked.saturating_add(1);
                after = Some((booking.when.start(), booking.id));
                found.extend(changed(&booking, now));
            }
            if is_last {
                return Ok((found, None));
            }
        }
        Ok((found, after))
    }

    /// Decide about one: its instant stays, or it is moved to what a clock showed, as any booking is moved.
    pub async fn keep_clock(
        &self,
        caller: &Caller,
        id: BookingId,
        keep: Keep,
        expected_sequence: Option<i64>,
    ) -> Outcome<BookOutcome> {
        let booking = self.booking_at(caller, id, expected_sequence).await?;
        let Some(change) = changed(&booking, self.base.now()) else {
            let as_told = "Clocks show for this booking what was told, or it is over.";
            return Err(Problem::new(Code::WrongState, as_told));
        };
        let clock = match keep {
            Keep::Instant => {
                let of = (caller.tenant, id, booking.when.start());
                let kept =
                    self.base.store().set_clocks(of, change.shows, Some(self.base.audit(caller))).await;
                kept?;
                return Ok(self.booking(caller, id).await?.into());
            }
            Keep::ListingClock => Some(change.told.listing),
            Keep::CustomerClock => change.told.customer,
        };
        let start = clock.and_then(|clock| clock.instant()).ok_or_else(|| {
            Problem::new(Code::WrongState, "The zone of this clock is not known.")
                .with_hint("Keep the instant, or move the booking to a start of your choice.")
        })?;
        if start == booking.when.start() {
            return Err(Problem::new(Code::WrongState, "This clock shows what was told.")
                .with_hint("Choose the clock that changed, or keep the instant."));
        }
        // The business decides, and what is asked of customers does not bind it.
        let reschedule = RescheduleBooking { start, expected_sequence, bound_by_cutoffs: false };
        self.reschedule(caller, id, reschedule).await
    }

    /// Look through all bookings to come, once for each data of zones that comes into use: note in the timeline what shows another time than
    /// was told, and keep what clocks show for those of which nothing was kept. How many show another time; none if nothing was looked at.
    pub async fn look_at_clocks(&self) -> Outcome<Option<usize>> {
        let generation = zone::generation();
        if self.clocks_looked.load(Ordering::Relaxed) == generation {
            return Ok(None);
        }
        let (mut changed, mut tenants) = (0_usize, BTreeSet::new());
        let mut after = (self.base.now(), BookingId::from_uuid(uuid::Uuid::nil()));
        // Ends: each page begins after the one before.
        loop {
            let page = self.base.store().clocks_to_come(after, limits::LIST_ROWS_MAX).await?;
            let Some(last) = page.last() else { break };
            after = (last.start, last.booking);
            for one in page {
                let tenant = one.tenant;
                match self.look_at_clock(one).await {
                    Ok(true) => {
                        changed = changed.saturating_add(1);
                        tenants.insert(tenant);
                    }
                    // Moved or gone in this moment: whoever moved it told of another time.
                    Ok(false) | Err(StoreError::Stale) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if changed > 0 {
            let (release, source) = zone::in_use();
            tracing::warn!(
                bookings = changed,
                tenants = tenants.len(),
                release = release.map(|release| release.to_string()),
                source = source.as_str(),
                "clocks show another time than was told for bookings to come; GET /api/booking/clock-changes lists them"
            );
        }
        self.clocks_looked.store(generation, Ordering::Relaxed);
        Ok(Some(changed))
    }

    async fn look_at_clock(&self, one: BookingClocks) -> Result<bool, StoreError> {
        let of = (one.tenant, one.booking, one.start);
        let Some(told) = one.told else {
            // From before this was kept. Of a listing whose zone nobody knows nothing is told.
            let zone = one.listing_zone.parse().ok();
            if let Some(clocks) = zone.and_then(|zone| Clocks::at(one.start, zone, &one.customer_zone)) {
                self.base.store().set_clocks(of, clocks, None).await?;
            }
            return Ok(false);
        };
        let Some(shows) = told.changed(one.start) else { return Ok(false) };
        if one.noted.as_ref() != Some(&shows) {
            let data = json!({ "start": one.start, "told": told, "shows": shows });
            let audit = self.base.audit_by("system", "clocks");
            self.base.store().note_clocks(of, shows, data, audit).await?;
        }
        Ok(true)
    }
}

fn changed(booking: &Booking, now: Instant) -> Option<ClockChange> {
    let start = booking.when.start();
    let told = booking.clocks.clone().filter(|_| booking.status.is_active() && start > now)?;
    let shows = told.changed(start)?;
    Some(ClockChange { booking: booking.id, start, told, shows })
}
