//! What clocks showed when a booking was made or moved. Laws change, and with them the data of zones; people come by what they were told.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use crate::{
    id::BookingId,
    scheduling::hours::{instant_of, local_of},
    time::Instant,
    zone::Zone,
};

const FORM: &str = "%Y-%m-%dT%H:%M:%S";

/// What a clock shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its IANA zone.
    pub zone: String,
    /// The local time at the start of the booking.
    pub start: String,
}

impl Shown {
    fn at(zone: &str, start: Instant) -> Option<Self> {
        let local = local_of(zone.parse().ok()?, start);
        Some(Self { zone: zone.to_owned(), start: local.format(FORM).to_string() })
    }

    /// The instant at which the clock shows it, by the data in use. None if nobody knows the zone any more.
    #[must_use]
    pub fn instant(&self) -> Option<Instant> {
        let zone: Zone = self.zone.parse().ok()?;
        Some(instant_of(zone, NaiveDateTime::parse_from_str(&self.start, FORM).ok()?))
    }
}

/// The two clocks that a booking is kept by. As JSON it is a column of bookings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// The listing's.
    pub listing: Shown,
    /// The customer's, if their zone is known.
    pub customer: Option<Shown>,
}

impl Clocks {
    /// What they show at a start, by the data in use.
    #[must_use]
    pub fn at(start: Instant, listing: Zone, customer: &str) -> Option<Self> {
        Some(Self { listing: Shown::at(listing.name(), start)?, customer: Shown::at(customer, start) })
    }

    /// What the same clocks show at another start, or at the same one by other data.
    #[must_use]
    pub fn showing(&self, start: Instant) -> Self {
        let again = |shown: &Shown| Shown::at(&shown.zone, start).unwrap_or_else(|| shown.clone());
        Self { listing: again(&self.listing), customer: self.customer.as_ref().map(again) }
    }

    /// What they show now at the start that this was told of; none if it is the same.
    #[must_use]
    pub fn changed(&self, start: Instant) -> Option<Self> {
        Some(self.showing(start)).filter(|shows| shows != self)
    }
}

/// A booking to come whose clocks show another time than was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClockChange {
    /// Which.
    #[serde(rename = "booking_id")]
    pub booking: BookingId,
    /// When it starts: that has not changed.
    pub start: Instant,
    /// What clocks showed when it was made or moved last.
    pub told: Clocks,
    /// What they show now.
    pub shows: Clocks,
}

/// What is kept of a booking whose clocks show another time than was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Its instant: people are told what clocks show now.
    Instant,
    /// What the listing's clock showed: the booking is moved there.
    ListingClock,
    /// What the customer's clock showed: the booking is moved there.
    CustomerClock,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_a_start_and_lead_back_to_it() {
        let start: Instant = "2026-12-08T16:00:00Z".parse().unwrap();
        let zone = |name: &str| name.parse().unwrap();
        let clocks = Clocks::at(start, zone("Europe/Warsaw"), "Asia/Tokyo").unwrap();
        assert_eq!(clocks.listing.start, "2026-12-08T17:00:00");
        let customer = clocks.customer.clone().unwrap();
        assert_eq!((customer.start.as_str(), customer.instant()), ("2026-12-09T01:00:00", Some(start)));
        assert_eq!((clocks.showing(start), clocks.changed(start)), (clocks.clone(), None));
        let later = clocks.showing(start.plus_seconds(3_600));
        assert_eq!(later.listing.start, "2026-12-08T18:00:00");
        // A zone that nobody knows is kept as it was, and is nobody's reason to move.
        assert_eq!(Clocks::at(start, zone("UTC"), "Moon/Tycho").unwrap().customer, None);
        let gone = Shown { zone: "Moon/Tycho".into(), start: "2026-12-08T17:00:00".into() };
        assert_eq!(gone.instant(), None);
        let with = Clocks { customer: Some(gone), ..clocks };
        assert_eq!((with.showing(start), with.changed(start)), (with.clone(), None));
        assert!(with.changed(start.plus_seconds(1)).is_some());
    }
}
