//! Bookings by chance: faults at every request, and a person at work in the calendar. In the end both sides must agree.

use std::collections::BTreeMap;

use berth_engine::{CancelBooking, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::BookingId,
    time::{Clock as _, Instant},
};
use berth_simulators::faults::Rates;
use berth_store::records::BookingFilter;
use berth_tests::radicale::{Entry, object};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{HOME, LATER_MS, Scene, scene};

const OPERATIONS: u32 = 120;
const HALF_HOUR_MICROS: i64 = 30 * 60_000_000;
/// Starts that are booked: few enough that bookings meet.
const STARTS: i64 = 100;
/// Rounds of an hour each until both sides must agree.
const SETTLING_ROUNDS: u32 = 40;

struct Run {
    scene: Scene,
    rng: StdRng,
    first: i64,
    acknowledged: Vec<BookingId>,
    counts: BTreeMap<&'static str, u32>,
}

impl Run {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn some_start(&mut self) -> Instant {
        Instant::from_micros(self.first + self.rng.random_range(0..STARTS) * HALF_HOUR_MICROS)
    }

    fn some_booking(&mut self) -> Option<BookingId> {
        let at = self.rng.random_range(0..self.acknowledged.len().max(1));
        self.acknowledged.get(at).copied()
    }

    async fn operation(&mut self) {
        let engine = self.scene.world.engine.clone();
        let caller = self.scene.world.caller.clone();
        match self.rng.random_range(0..100_u32) {
            0..40 => {
                let start = self.some_start();
                let request = self.scene.request(start);
                match engine.bookings.book(&caller, request).await {
                    Ok(outcome) => {
                        self.acknowledged.push(outcome.booking.id);
                        self.count(if outcome.pending { "pending" } else { "booked" });
                    }
                    Err(_) => self.count("refused"),
                }
            }
            40..55 => {
                let Some(id) = self.some_booking() else { return };
                let start = self.some_start();
                let change = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
                let moved = engine.bookings.reschedule(&caller, id, change).await;
                self.count(if moved.is_ok() { "moved" } else { "move refused" });
            }
            55..65 => {
                let Some(id) = self.some_booking() else { return };
                let done = engine.bookings.cancel(&caller, id, CancelBooking::default()).await;
                self.count(if done.is_ok() { "cancelled" } else { "cancel refused" });
            }
            65..80 => self.by_hand().await,
            80..90 => {
                engine.jobs.run_due_jobs(4).await.unwrap();
            }
            _ => {
                engine.mirror.start_sync(&caller, self.scene.connection, false).await.unwrap();
                self.count("synchronised");
            }
        }
        self.scene.world.clock.advance_ms(self.rng.random_range(500..5_000));
    }

    /// Our events in the calendar.
    async fn calendar(&self) -> Vec<Entry> {
        let mut entries = self.scene.radicale.entries(HOME).await;
        entries.retain(|entry| entry.uid.ends_with("@berth"));
        entries
    }

    /// A person moves or deletes an event, past the faults.
    async fn by_hand(&mut self) {
        let events = self.calendar().await;
        let Some(some) = events.get(self.rng.random_range(0..events.len().max(1))) else { return };
        let start = self.some_start().to_string().replace(['-', ':'], "");
        let world = &self.scene.world;
        // What came and went between two questions is told by no server (RFC 6578 section 3.5.2).
        let known =
            world.store.mirrored(world.caller.tenant, self.scene.connection, &some.path).await.unwrap();
        let deleted = known.is_some() && self.rng.random_bool(0.5);
        let (status, _) = if deleted {
            self.scene.radicale.ask("DELETE", &some.path, "").await
        } else {
            let lines = format!("DTSTART:{start}\r\nDURATION:PT30M");
            let text = object(&some.uid, &lines);
            self.scene.radicale.ask("PUT", &some.path, &text).await
        };
        assert!(status.is_success(), "{status}");
        self.count(if deleted { "deleted by hand" } else { "moved by hand" });
    }

    /// Let the faults end, and both sides come to rest.
    async fn settle(&mut self) {
        self.scene.proxy.set_rates(Rates::default());
        let world = &self.scene.world;
        for _ in 0..SETTLING_ROUNDS {
            world.engine.mirror.start_sync(&world.caller, self.scene.connection, false).await.unwrap();
            while world.engine.jobs.run_due_jobs(20).await.unwrap() > 0 {}
            if world.store.open_job_count().await.unwrap() == 0 {
                return;
            }
            world.clock.advance_ms(LATER_MS);
        }
        panic!("never came to rest");
    }

    async fn ours(&self) -> Vec<Booking> {
        let mut all: Vec<Booking> = Vec::new();
        loop {
            let after = all.last().map(|b| (b.when.start(), b.id));
            let filter = BookingFilter { after, ..BookingFilter::default() };
            let world = &self.scene.world;
            let page = world.store.list_bookings(world.caller.tenant, filter, 500).await.unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// Each booking has its one event, or none if it is over; no event of ours is without its booking. Where a person moved an event to
    /// a time that is taken here, both sides differ, and a conflict waits for a person.
    async fn check(&mut self) {
        let ours = self.ours().await;
        for id in &self.acknowledged {
            assert!(ours.iter().any(|b| b.id == *id), "{id} was acknowledged and is lost");
        }
        let mut events: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for event in self.calendar().await {
            events.entry(event.uid.clone()).or_default().push(event);
        }
        let mut apart = 0;
        for booking in &ours {
            let events = events.remove(&format!("{}@berth", booking.id)).unwrap_or_default();
            assert_eq!(booking.provider_task, None, "{} never came to rest", booking.id);
            match (booking.status, events.as_slice()) {
                (BookingStatus::Confirmed, [event]) => {
                    assert_eq!(booking.external_id.as_ref(), Some(&event.path), "{booking:?}");
                    let here = booking.when.start().to_string().replace(['-', ':'], "");
                    apart += u32::from(here != event.start);
                }
                (BookingStatus::Cancelled | BookingStatus::Failed, []) => {}
                (status, events) => {
                    panic!("{} is {status:?} here, {} events there", booking.id, events.len())
                }
            }
        }
        assert!(events.is_empty(), "there, and unknown here: {:?}", events.keys());
        let status =
            self.scene.world.engine.mirror.sync_status(&self.scene.world.caller, self.scene.connection).await;
        let open = status.unwrap().open_conflicts;
        assert!(i64::from(apart) <= open, "{apart} differ, {open} conflicts are known");
        self.counts.insert("conflicts", apart);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_agree_after_faults_and_a_person_in_the_calendar() {
    let Some(scene) = scene("chance in a real calendar").await else { return };
    scene.proxy.set_rates(Rates {
        rate_limited: 0.02,
        server_error: 0.03,
        drop_before: 0.03,
        drop_after: 0.05,
        malformed: 0.02,
        ..Rates::default()
    });
    let seed = 4_791;
    let first = scene.world.clock.now().micros() + 48 * HALF_HOUR_MICROS;
    let mut run = Run {
        scene,
        rng: StdRng::seed_from_u64(seed),
        first,
        acknowledged: Vec::new(),
        counts: BTreeMap::new(),
    };
    for _ in 0..OPERATIONS {
        run.operation().await;
    }
    run.settle().await;
    run.check().await;
    println!("seed {seed}: {:?}", run.counts);
    assert!(run.acknowledged.len() > 20, "{:?}", run.counts);
    for what in
        ["booked", "pending", "moved", "cancelled", "moved by hand", "deleted by hand", "synchronised"]
    {
        assert!(run.counts.get(what).is_some_and(|n| *n > 0), "{what} never happened: {:?}", run.counts);
    }
}
