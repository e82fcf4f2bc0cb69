//! What must be so in the end.

use std::collections::BTreeMap;

use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::{BookingId, TenantId},
    problem::Code,
};
use berth_store::records::BookingFilter;
use berth_tests::{
    canary_secrets::{Log, texts_of},
    events,
};

use crate::{
    run::{Run, Side},
    scenario::RemoteBooking,
};

impl Run {
    async fn bookings(&self, side: &Side) -> Vec<Booking> {
        let filter = BookingFilter { connection: Some(side.connection), ..BookingFilter::default() };
        self.world.store.list_bookings(side.caller.tenant, filter, 5_000).await.unwrap()
    }

    /// Bookings of which a person has to decide.
    async fn open_conflicts(&self, side: &Side) -> Vec<BookingId> {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = self.engine.mirror.list_conflicts(&side.caller, side.connection, before, false, 100);
            let page = page.await.unwrap();
            let Some(last) = page.last() else { return found };
            before = Some(last.id);
            found.extend(page.iter().filter_map(|conflict| conflict.booking));
        }
    }

    /// What became of a booking, for whoever looks into a seed that failed.
    async fn tell_its_life(&self, side: &Side, booking: &Booking) {
        println!("{booking:?}");
        for entry in self.engine.bookings.timeline(&side.caller, booking.id).await.unwrap() {
            println!("{} {} by {}: {}", entry.audit.at, entry.action, entry.audit.actor, entry.data);
        }
        let (tenant, id) = (side.caller.tenant, booking.external_id.clone().unwrap_or_default());
        println!("known of it: {:?}", self.world.store.mirrored(tenant, side.connection, &id).await.unwrap());
    }

    /// Nothing acknowledged is lost; a booking that stands is at its provider once, at its time, and one that does not is not there;
    /// nothing there is unknown here, and whoever follows the events knows how it stands. Where people moved one to a time that is taken here, a conflict waits for a person.
    pub async fn both_sides_agree(&self) {
        let mut tenants = BTreeMap::<TenantId, Vec<Booking>>::new();
        for side in &self.sides {
            tenants.entry(side.caller.tenant).or_default().extend(self.bookings(side).await);
        }
        for (tenant, bookings) in tenants {
            let told = events::whole_feed(&self.world.store, tenant).await;
            events::tell_how_they_stand(&told, &bookings);
        }
        for side in &self.sides {
            let ours = self.bookings(side).await;
            for id in &side.acknowledged {
                assert!(ours.iter().any(|b| b.id == *id), "{id} was acknowledged and is lost");
            }
            let open = self.open_conflicts(side).await;
            let mut remotes: BTreeMap<String, Vec<RemoteBooking>> = BTreeMap::new();
            for remote in side.provider.active() {
                if let Some(reference) = remote.reference.clone() {
                    remotes.entry(reference).or_default().push(remote);
                }
            }
            let mut confirmed = 0;
            for booking in &ours {
                let there = remotes.remove(&booking.id.to_string()).unwrap_or_default();
                let place = format!("{} {} over {}", booking.id, booking.status.as_str(), side.plugin);
                let expected = usize::from(booking.status == BookingStatus::Confirmed);
                let same = there.iter().all(|t| t.start == booking.when.start().micros());
                let apart = !same && !open.contains(&booking.id);
                if there.len() != expected || apart || booking.provider_task.is_some() {
                    self.tell_its_life(side, booking).await;
                }
                assert_eq!(booking.provider_task, None, "{place} never came to rest");
                assert_eq!(booking.undelivered, None, "{place} is written otherwise there");
                assert_eq!(there.len(), expected, "{place}: {there:?}");
                assert!(!apart, "{place} at {:?}: {there:?}", booking.when);
                confirmed += expected;
            }
            assert!(remotes.is_empty(), "over {}, of nobody here: {remotes:?}", side.plugin);
            println!("both ways: {confirmed} of {} bookings stand over {}", ours.len(), side.plugin);
            assert!(confirmed > 0, "too little happened over {}", side.plugin);
        }
    }

    /// One tenant's booking is nobody else's.
    pub async fn tenants_are_apart(&self) {
        for side in &self.sides {
            for id in &side.acknowledged {
                for other in self.sides.iter().filter(|o| o.caller.tenant != side.caller.tenant) {
                    let seen = self.engine.bookings.booking(&other.caller, *id).await;
                    assert_eq!(seen.unwrap_err().code, Code::NotFound);
                }
            }
        }
    }

    /// No credential is in the log, in the database, in an error or in the list of calls.
    pub async fn no_credential_is_seen(&mut self, log: &Log) {
        self.plant().await;
        self.canaries.assert_absent("the log", &log.take());
        self.canaries.assert_absent("what callers are told", format!("{:?}", self.said).as_bytes());
        let calls = format!("{:?}", self.world.calls.0.lock().unwrap());
        self.canaries.assert_absent("the list of calls", calls.as_bytes());
        let database = self.world.database().unwrap();
        for (place, bytes) in texts_of(&database).await {
            self.canaries.assert_absent(&place, &bytes);
        }
        // Pages as they are, what was removed included.
        for file in std::fs::read_dir(database.parent().unwrap()).unwrap() {
            let path = file.unwrap().path();
            self.canaries.assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }

    /// Enough happened for all this to mean something.
    pub fn much_happened(&self) {
        println!("both ways: {:?}", self.counts);
        for (what, least) in [
            ("booked", 40),
            ("pending", 20),
            ("moved", 10),
            ("cancelled", 10),
            ("by hand", 20),
            ("message", 50),
            ("crashed", 5),
        ] {
            assert!(self.counts.get(what).is_some_and(|n| *n >= least), "{what}: {:?}", self.counts);
        }
    }
}
