//! Where a booking may be moved to.

use berth_model::{
    id::BookingId,
    problem::{Code, Problem},
};

use super::{
    Availability, AvailabilityAnswer, AvailabilityQuery, SearchRange, SlotSearch, minutes_of, not_too_long,
};
use crate::{Caller, Outcome};

impl Availability {
    /// The slots to which a booking may be moved, as it would be: with its organiser, as long as it is, and its own time is in nobody's way.
    pub async fn availability_for(
        &self,
        caller: &Caller,
        booking: BookingId,
        query: AvailabilityQuery,
    ) -> Outcome<AvailabilityAnswer> {
        not_too_long(query.within)?;
        let booking = self.base.store().booking(caller.tenant, booking).await?;
        let length_minutes = minutes_of(booking.when);
        for (name, differs) in [
            ("event_type", query.event_type != booking.event_type),
            ("length_minutes", query.length_minutes.is_some_and(|minutes| minutes != length_minutes)),
            ("provider", query.provider.is_some()),
        ] {
            if differs {
                let why =
                    format!("{name} must be the booking's own, or absent, where a booking is to be moved.");
                return Err(Problem::new(Code::MalformedParameter, why));
            }
        }
        let ctx = self.contexts.context_of(caller, &booking, false).await?;
        let organiser =
            Some(booking.member).filter(|organiser| ctx.members.iter().any(|of| of.id == *organiser));
        let member = query.member.or(organiser);
        let search = SlotSearch { member, moving: Some(&booking), ..SlotSearch::of(length_minutes) };
        let range = SearchRange { explain: query.explain, ..SearchRange::of(query.within) };
        Ok(self.find(&caller.request_id, &ctx, search, range).await?.answer())
    }
}
