//! Faults by chance, people at work in the calendar, notifications that come twice or never: afterwards both sides agree.
//!
//! `BERTH_SIM_SEED` replays one seed.

use std::collections::BTreeMap;

use berth_engine::{CancelBooking, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::BookingId,
    problem::{Code, Problem},
    time::Instant,
};
use berth_simulators::{faults::Rates, outlook};
use berth_store::records::BookingFilter;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{HOUR_MICROS, Scene, connected_by_chance};

const OPERATIONS: u32 = 250;
const SEEDS: u64 = 2;
/// Rounds of an hour each until both sides must agree.
const SETTLING_ROUNDS: u32 = 60;

struct Storm {
    scene: Scene,
    rng: StdRng,
    /// Bookings that the engine acknowledged.
    acknowledged: Vec<BookingId>,
    counts: BTreeMap<&'static str, u32>,
}

impl Storm {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A half hour of the next ten days: crowded enough that bookings meet.
    fn some_start(&mut self) -> Instant {
        let half_hours = self.rng.random_range(0..480);
        self.scene.tomorrow(0).plus_seconds(half_hours * 1_800)
    }

    fn some_booking(&mut self) -> Option<BookingId> {
        let at = self.rng.random_range(0..self.acknowledged.len().max(1));
        self.acknowledged.get(at).copied()
    }

    /// A refusal must be one that a caller can understand; a fault of our own is none.
    fn refused(&mut self, problem: &Problem) {
        let known = matches!(
            problem.code,
            Code::SlotTaken | Code::WrongState | Code::Changed | Code::ProviderRefused
        );
        assert!(known, "not a refusal: {problem:?}");
        self.count("refused");
    }

    async fn operation(&mut self) {
        match self.rng.random_range(0..100_u32) {
            0..50 => {
                let start = self.some_start();
                match self.scene.try_to_book(start).await {
                    Ok(outcome) => {
                        self.acknowledged.push(outcome.booking.id);
                        self.count(if outcome.pending { "pending" } else { "booked" });
                    }
                    Err(problem) => self.refused(&problem),
                }
            }
            50..62 => {
                let Some(id) = self.some_booking() else { return };
                let world = &self.scene.world;
                match world.engine.bookings.cancel(&world.caller, id, CancelBooking::default()).await {
                    Ok(_) => self.count("cancelled"),
                    Err(problem) => self.refused(&problem),
                }
            }
            62..74 => {
                let (Some(id), start) = (self.some_booking(), self.some_start()) else { return };
                let reschedule =
                    RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
                let world = &self.scene.world;
                match world.engine.bookings.reschedule(&world.caller, id, reschedule).await {
                    Ok(_) => self.count("moved"),
                    Err(problem) => self.refused(&problem),
                }
            }
            74..82 => self.somebody_works_in_outlook(),
            82..90 => {
                let statuses = self.scene.deliver(|body| body).await;
                assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
            }
            _ => {
                self.scene.world.engine.jobs.run_due_jobs(4).await.unwrap();
            }
        }
        self.scene.world.clock.advance_ms(self.rng.random_range(500..10_000));
    }

    fn somebody_works_in_outlook(&mut self) {
        let (events, start) = (self.scene.simulator.events(), self.some_start().micros());
        let Some(event) = events.get(self.rng.random_range(0..events.len().max(1))) else { return };
        match self.rng.random_range(0..3_u32) {
            0 => assert!(self.scene.simulator.delete_event(&event.id)),
            1 => assert!(self.scene.simulator.move_event(&event.id, start)),
            _ => {
                self.scene
                    .simulator
                    .add_event(&event.calendar, "Lunch", start, start + HOUR_MICROS / 2)
                    .unwrap();
            }
        }
        self.count("by hand");
    }

    /// Let the faults end, and both sides come to rest.
    async fn settle(&mut self) {
        self.scene.simulator.set_rates(Rates::default());
        for _ in 0..SETTLING_ROUNDS {
            self.scene.deliver(|body| body).await;
            self.scene.world.clock.advance_ms(3_600_000);
            while self.scene.world.engine.jobs.run_due_jobs(64).await.unwrap() > 0 {}
            if self.scene.world.store.open_job_count().await.unwrap() == 0 {
                return;
            }
        }
        panic!("{} jobs never came to rest", self.scene.world.store.open_job_count().await.unwrap());
    }

    async fn all_bookings(&self) -> Vec<Booking> {
        let (world, mut all) = (&self.scene.world, Vec::<Booking>::new());
        loop {
            let after = all.last().map(|b| (b.when.start(), b.id));
            let filter = BookingFilter { after, ..BookingFilter::default() };
            let page = world.store.list_bookings(world.caller.tenant, filter, 500).await.unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// Nothing acknowledged is lost, no place is taken twice, and there is one event for each booking or none.
    async fn check(&self) {
        let ours = self.all_bookings().await;
        for id in &self.acknowledged {
            assert!(ours.iter().any(|b| b.id == *id), "{id} was acknowledged and is lost");
        }
        let mut active: Vec<&Booking> = ours.iter().filter(|b| b.status.is_active()).collect();
        active.sort_by_key(|b| b.when);
        for pair in active.windows(2) {
            assert!(!pair[0].when.overlaps(pair[1].when), "double booking: {:?} {:?}", pair[0], pair[1]);
        }
        let mut events: BTreeMap<String, Vec<outlook::Event>> = BTreeMap::new();
        for event in self.scene.simulator.events() {
            for reference in event.properties.values() {
                events.entry(reference.clone()).or_default().push(event.clone());
            }
        }
        for booking in &ours {
            let counterparts = events.remove(&booking.id.to_string()).unwrap_or_default();
            assert_eq!(booking.provider_task, None, "{} never came to rest", booking.id);
            match (booking.status, counterparts.as_slice()) {
                (BookingStatus::Confirmed, [_]) | (BookingStatus::Cancelled | BookingStatus::Failed, []) => {}
                // Deleted by hand, and the notification was lost.
                (BookingStatus::Confirmed, []) => {
                    let made = booking.external_id.is_some();
                    assert!(made, "{} is confirmed and was never made", booking.id);
                }
                (status, counterparts) => {
                    panic!("{} is {status:?} here, in Outlook {counterparts:?}", booking.id)
                }
            }
        }
        assert!(events.is_empty(), "in Outlook, unknown here: {events:?}");
    }
}

#[tokio::test]
async fn both_sides_agree_after_faults() {
    let seeds: Vec<u64> = match std::env::var("BERTH_SIM_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=SEEDS).collect(),
    };
    for seed in seeds {
        println!("BERTH_SIM_SEED={seed}");
        let scene = connected_by_chance(seed).await;
        scene.simulator.set_rates(Rates {
            rate_limited: 0.03,
            server_error: 0.04,
            drop_before: 0.03,
            drop_after: 0.05,
            malformed: 0.02,
            webhook_duplicate: 0.2,
            webhook_lost: 0.1,
            ..Rates::default()
        });
        let rng = StdRng::seed_from_u64(seed);
        let mut storm = Storm { scene, rng, acknowledged: Vec::new(), counts: BTreeMap::new() };
        for _ in 0..OPERATIONS {
            storm.operation().await;
        }
        storm.settle().await;
        storm.check().await;
        println!("{:?}", storm.counts);
        for what in ["booked", "pending", "cancelled", "moved", "by hand"] {
            assert!(storm.counts.contains_key(what), "{what} never happened: {:?}", storm.counts);
        }
    }
}
