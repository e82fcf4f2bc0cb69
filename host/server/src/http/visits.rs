//! Who asks without a key, how often, and with which tenant: the limits of public routes, by address and by tenant, in this process.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use berth_engine::one_sender;
use berth_model::{
    bookings::held::{LiveHolds, Ticket},
    buckets::{Buckets, Quota},
    id::{HoldId, TenantId},
    limits::{
        PUBLIC_ADDRESSES_MAX, PUBLIC_BOOKINGS_PER_ADDRESS_HOUR, PUBLIC_HOLDS_LIVE_MAX,
        PUBLIC_HOLDS_PER_MINUTE, PUBLIC_READS_PER_MINUTE, PUBLIC_SHARED_TIMES,
    },
    problem::{Code, Problem},
    time::Instant,
};

/// Where a visitor comes from, as far as limits tell visitors apart; all of whom nobody knows share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Network(Option<IpAddr>);

impl From<Option<IpAddr>> for Network {
    fn from(address: Option<IpAddr>) -> Self {
        Self(address.map(one_sender))
    }
}

/// What visitors did lately.
pub(crate) struct Visits {
    reads: Mutex<Buckets<Network>>,
    holds: Mutex<Buckets<Network>>,
    bookings: Mutex<Buckets<Network>>,
    bookings_of_tenants: Mutex<Buckets<TenantId>>,
    live: Mutex<LiveHolds<Network>>,
}

impl Default for Visits {
    fn default() -> Self {
        let strangers = || Mutex::new(Buckets::new(PUBLIC_ADDRESSES_MAX, PUBLIC_SHARED_TIMES));
        Self {
            reads: strangers(),
            holds: strangers(),
            bookings: strangers(),
            bookings_of_tenants: Mutex::new(Buckets::new(PUBLIC_ADDRESSES_MAX, PUBLIC_SHARED_TIMES)),
            live: Mutex::new(LiveHolds::new(PUBLIC_ADDRESSES_MAX, PUBLIC_HOLDS_LIVE_MAX)),
        }
    }
}

const READS: Quota = Quota::per_minute(PUBLIC_READS_PER_MINUTE);
const HOLDS: Quota = Quota::per_minute(PUBLIC_HOLDS_PER_MINUTE);
const BOOKINGS: Quota = Quota::per_hour(PUBLIC_BOOKINGS_PER_ADDRESS_HOUR);

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_often(detail: String, seconds: u64) -> Problem {
    Problem::new(Code::RateLimited, detail).with_retry_after_seconds(seconds.max(1))
}

impl Visits {
    /// Any request.
    pub(crate) fn read(&self, network: Network, now: Instant) -> Result<(), Problem> {
        locked(&self.reads).take(network, READS, now).map_err(|seconds| {
            too_often(
                format!("At most {PUBLIC_READS_PER_MINUTE} requests a minute from one address."),
                seconds,
            )
        })
    }

    /// A place for one more hold, until then. To be settled.
    pub(crate) fn hold(&self, network: Network, now: Instant, until: Instant) -> Result<Ticket, Problem> {
        locked(&self.holds).take(network, HOLDS, now).map_err(|seconds| {
            too_often(format!("At most {PUBLIC_HOLDS_PER_MINUTE} holds a minute from one address."), seconds)
        })?;
        locked(&self.live).reserve(network, now, until).map_err(|seconds| {
            let detail = format!("At most {PUBLIC_HOLDS_LIVE_MAX} times are held for one address.");
            too_often(detail, seconds).with_hint("Book without a hold, or give one of them back.")
        })
    }

    pub(crate) fn held(&self, network: Network, ticket: Ticket, hold: Option<HoldId>) {
        locked(&self.live).settle(&network, ticket, hold);
    }

    pub(crate) fn extended(&self, network: Network, hold: HoldId, until: Instant) {
        locked(&self.live).extend(&network, hold, until);
    }

    pub(crate) fn hold_ended(&self, network: Network, hold: HoldId) {
        locked(&self.live).end(&network, hold);
    }

    /// A booking, which is given back if it does not come about.
    pub(crate) fn booking(
        &self,
        network: Network,
        (tenant, per_hour): (TenantId, u32),
        now: Instant,
    ) -> Result<(), Problem> {
        locked(&self.bookings).take(network, BOOKINGS, now).map_err(|seconds| {
            let most = PUBLIC_BOOKINGS_PER_ADDRESS_HOUR;
            too_often(format!("At most {most} bookings an hour from one address."), seconds)
        })?;
        let of_tenant = locked(&self.bookings_of_tenants).take(tenant, Quota::per_hour(per_hour), now);
        of_tenant.map_err(|seconds| {
            locked(&self.bookings).give_back(&network, BOOKINGS);
            let detail = "The business takes no more bookings without a key in this hour.";
            too_often(detail.to_owned(), seconds).with_hint("Try again later, or ask the business.")
        })
    }

    pub(crate) fn not_booked(&self, network: Network, (tenant, per_hour): (TenantId, u32)) {
        locked(&self.bookings).give_back(&network, BOOKINGS);
        locked(&self.bookings_of_tenants).give_back(&tenant, Quota::per_hour(per_hour));
    }

    /// Forget who has not come for a while.
    pub(crate) fn forget_idle(&self, now: Instant) {
        for of in [&self.reads, &self.holds, &self.bookings] {
            locked(of).forget_idle(now);
        }
        locked(&self.bookings_of_tenants).forget_idle(now);
        locked(&self.live).forget_over(now);
    }

    /// How many addresses are told apart at the moment, of those who asked for anything.
    #[cfg(test)]
    pub(crate) fn told_apart(&self) -> usize {
        locked(&self.reads).len()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use uuid::Uuid;

    use super::*;

    fn of(address: &str) -> Network {
        Some(address.parse().unwrap()).into()
    }

    #[test]
    fn a_house_is_one_visitor() {
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"), "an IPv4 address in the clothes of IPv6");
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(Network::from(None), Network(None));
    }

    #[test]
    fn ten_thousand_addresses_at_once_are_told_apart_and_forgotten() {
        let visits = Visits::default();
        let at = |seconds| "2026-11-30T12:00:00Z".parse::<Instant>().unwrap().plus_seconds(seconds);
        for n in 0..10_000_u32 {
            visits.read(Some(IpAddr::from(Ipv4Addr::from(n))).into(), at(0)).unwrap();
        }
        assert_eq!(visits.told_apart(), 10_000);
        visits.forget_idle(at(2));
        assert_eq!(visits.told_apart(), 0, "a bucket that is full again is that of a stranger");
        // All the addresses of one house are one.
        for n in 0..60_u128 {
            visits
                .read(Some(IpAddr::from((0x2001_0db8_u128 << 96 | n).to_be_bytes())).into(), at(0))
                .unwrap();
        }
        let refused = visits.read(of("2001:db8::ffff"), at(0)).unwrap_err();
        assert_eq!((refused.code, refused.retry_after_seconds), (Code::RateLimited, Some(1)));
        assert_eq!(visits.told_apart(), 1);
    }

    #[test]
    fn bookings_count_for_the_address_and_the_tenant_and_only_if_they_come_about() {
        let visits = Visits::default();
        let now: Instant = "2026-11-30T12:00:00Z".parse().unwrap();
        let tenant = |n: u128| (TenantId::from_uuid(Uuid::from_u128(n)), 12);
        for _ in 0..10 {
            visits.booking(of("192.0.2.1"), tenant(1), now).unwrap();
        }
        assert!(visits.booking(of("192.0.2.1"), tenant(2), now).is_err(), "with whomever it is");
        visits.not_booked(of("192.0.2.1"), tenant(1));
        visits.booking(of("192.0.2.1"), tenant(1), now).unwrap();
        for n in 2..=3 {
            visits.booking(of(&format!("192.0.2.{n}")), tenant(1), now).unwrap();
        }
        let full = visits.booking(of("192.0.2.9"), tenant(1), now).unwrap_err();
        assert_eq!(full.retry_after_seconds, Some(300), "twelve an hour: one every five minutes");
        for _ in 0..10 {
            visits.booking(of("192.0.2.9"), tenant(2), now).unwrap();
        }
    }
}
