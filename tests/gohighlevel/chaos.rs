//! By chance: every request may fail in any way, people change appointments by hand, messages come twice and in any order. In the end
//! both sides must say the same.

use std::collections::BTreeMap;

use berth_engine::{CancelBooking, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::BookingId,
    outbound::provider::{ExternalStatus, Providers},
    problem::Code,
    time::{Clock, Instant},
};
use berth_simulators::{faults::Rates, front::Delivery};
use berth_store::records::BookingFilter;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::json;

use super::scenario::Scenario;

const OPERATIONS: u32 = 250;
const HALF_HOUR_MICROS: i64 = 30 * 60_000_000;
/// Starts that anybody asks for: few, so that bookings meet.
const STARTS: i64 = 150;
/// Rounds, of an hour each where nothing else is left, until both sides must agree.
const SETTLING_ROUNDS: u32 = 60;

struct Run {
    scenario: Scenario,
    rng: StdRng,
    first_start: i64,
    acknowledged: Vec<BookingId>,
    waiting: Vec<Delivery>,
    counts: BTreeMap<&'static str, u32>,
}

impl Run {
    async fn start(seed: u64) -> Self {
        let scenario = Scenario::open("cal_1", json!({})).await;
        let first_start = scenario.world.clock.now().micros() + 48 * HALF_HOUR_MICROS;
        let rng = StdRng::seed_from_u64(seed);
        Self {
            scenario,
            rng,
            first_start,
            acknowledged: Vec::new(),
            waiting: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn let_things_fail(&self) {
        self.scenario.simulator.set_rates(Rates {
            rate_limited: 0.03,
            server_error: 0.03,
            drop_before: 0.03,
            drop_after: 0.05,
            malformed: 0.02,
            webhook_duplicate: 0.2,
            ..Rates::default()
        });
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn some_start(&mut self) -> Instant {
        Instant::from_micros(self.first_start + self.rng.random_range(0..STARTS) * HALF_HOUR_MICROS)
    }

    fn some_booking(&mut self) -> Option<BookingId> {
        let at = self.rng.random_range(0..self.acknowledged.len().max(1));
        self.acknowledged.get(at).copied()
    }

    async fn operation(&mut self) {
        match self.rng.random_range(0..100_u32) {
            0..40 => self.book().await,
            40..50 => self.cancel().await,
            50..60 => self.reschedule().await,
            60..75 => self.by_hand(true),
            75..85 => {
                self.scenario.world.engine.jobs.run_due_jobs(4).await.unwrap();
            }
            _ => self.messages().await,
        }
        self.scenario.world.clock.advance_ms(self.rng.random_range(500..5_000));
        self.waiting.extend(self.scenario.messages());
    }

    async fn book(&mut self) {
        let start = self.some_start();
        match self.scenario.try_to_book(start).await {
            Ok(booking) => {
                self.acknowledged.push(booking.id);
                self.count(if booking.provider_task.is_some() { "unsure" } else { "booked" });
            }
            Err(code) => {
                assert!(matches!(code, Code::SlotTaken | Code::ProviderRefused), "{code:?}");
                self.count("refused");
            }
        }
    }

    async fn cancel(&mut self) {
        let Some(id) = self.some_booking() else { return };
        let world = &self.scenario.world;
        let done = world.engine.bookings.cancel(&world.caller, id, CancelBooking::default()).await;
        self.count(if done.is_ok() { "cancelled" } else { "refused" });
    }

    async fn reschedule(&mut self) {
        let (Some(id), start) = (self.some_booking(), self.some_start()) else { return };
        let to = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
        let world = &self.scenario.world;
        let done = world.engine.bookings.reschedule(&world.caller, id, to).await;
        self.count(if done.is_ok() { "moved" } else { "refused" });
    }

    /// Somebody works in HighLevel itself.
    fn by_hand(&mut self, may_delete: bool) {
        let start = self.some_start().micros();
        let simulator = &self.scenario.simulator;
        let active = simulator.active_appointments();
        let Some(some) = active.get(self.rng.random_range(0..active.len().max(1))) else { return };
        let done = match self.rng.random_range(0..5_u32) {
            0 => simulator.change_out_of_band(&some.id, &json!({ "appointmentStatus": "cancelled" })),
            1 if may_delete => simulator.delete_out_of_band(&some.id),
            2 => simulator.book_out_of_band("cal_1", start).map(drop),
            _ => simulator.move_out_of_band(&some.id, start),
        };
        self.count(if done.is_ok() { "by hand" } else { "refused by hand" });
    }

    /// A page of changes. Was it the last?
    async fn read_changes(
        &self,
        cursor: &mut Option<String>,
        heard: &mut BTreeMap<String, (bool, i64)>,
    ) -> bool {
        let context = self.scenario.call().await;
        let page = self.scenario.world.runtime.list_changes(&context, cursor.take(), 3).await.unwrap();
        for item in page.items {
            let active = matches!(item.status, ExternalStatus::Pending | ExternalStatus::Confirmed);
            heard.insert(item.id, (active, item.when.start().micros()));
        }
        *cursor = Some(page.cursor);
        !page.more
    }

    /// Whatever waits, in any order.
    async fn messages(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.shuffle(&mut self.rng);
        for message in waiting {
            self.scenario.deliver(&message).await.unwrap();
            self.count("message");
        }
    }

    /// Nothing fails any more, and nobody does anything new.
    async fn settle(&mut self) {
        self.scenario.simulator.set_rates(Rates::default());
        for _ in 0..SETTLING_ROUNDS {
            self.messages().await;
            self.waiting.extend(self.scenario.messages());
            if !self.waiting.is_empty() {
                continue;
            }
            if self.scenario.world.store.open_job_count().await.unwrap() == 0 {
                return;
            }
            self.scenario.later().await;
            self.waiting.extend(self.scenario.messages());
        }
        panic!("it never came to rest");
    }

    async fn ours(&self) -> Vec<Booking> {
        let world = &self.scenario.world;
        let mut all: Vec<Booking> = Vec::new();
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

    /// Was it noted that the appointment was moved there, to a time that is taken here? Then a person has to decide.
    async fn has_conflict(&self, booking: &Booking, start: i64) -> bool {
        let world = &self.scenario.world;
        let timeline = world.engine.bookings.timeline(&world.caller, booking.id).await.unwrap();
        timeline.iter().any(|entry| {
            let there =
                entry.data["at_provider"]["start"].as_str().and_then(|text| text.parse::<Instant>().ok());
            entry.action == "booking.conflict" && there.is_some_and(|there| there.micros() == start)
        })
    }

    /// A booking that takes place has one appointment, its own, at its time; one that does not has none; and no appointment of ours is
    /// without its booking.
    async fn check(&self) {
        let ours = self.ours().await;
        for id in &self.acknowledged {
            assert!(ours.iter().any(|b| b.id == *id), "{id} was acknowledged and is lost");
        }
        let mut there: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
        for counterpart in self.scenario.simulator.active_appointments() {
            let text = counterpart.description.unwrap_or_default();
            if let Some(reference) = text.lines().find_map(|line| line.strip_prefix("Berth reference: ")) {
                there.entry(reference.to_owned()).or_default().push((counterpart.id, counterpart.start));
            }
        }
        for booking in &ours {
            let counterparts = there.remove(&booking.id.to_string()).unwrap_or_default();
            assert_eq!(booking.provider_task, None, "{} never came to rest", booking.id);
            match (booking.status, counterparts.as_slice()) {
                (BookingStatus::Confirmed, [(id, start)]) => {
                    assert_eq!(booking.external_id.as_ref(), Some(id), "{booking:?}");
                    let agree = booking.when.start().micros() == *start;
                    assert!(
                        agree || self.has_conflict(booking, *start).await,
                        "there at {start}: {booking:?}"
                    );
                }
                (BookingStatus::Cancelled | BookingStatus::Failed, []) => {}
                (status, counterparts) => panic!("{} is {status:?} here, there {counterparts:?}", booking.id),
            }
        }
        assert!(there.is_empty(), "there, and unknown here: {there:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_agree_in_the_end() {
    let asked = std::env::var("BERTH_SIM_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in asked.map_or(vec![1, 2], |seed| vec![seed]) {
        let mut run = Run::start(seed).await;
        run.let_things_fail();
        for _ in 0..OPERATIONS {
            run.operation().await;
        }
        run.settle().await;
        println!("seed {seed}: {:?}", run.counts);
        run.check().await;
        for (what, least) in [("booked", 10), ("unsure", 5), ("moved", 3), ("by hand", 10), ("message", 30)] {
            assert!(run.counts.get(what).is_some_and(|n| *n >= least), "seed {seed}: {:?}", run.counts);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_missed_whatever_happens_between_two_pages() {
    let mut run = Run::start(3).await;
    for n in 0..20 {
        let start = run.first_start + n * HALF_HOUR_MICROS;
        run.scenario.simulator.book_out_of_band("cal_1", start).unwrap();
    }
    let (mut cursor, mut heard) = (None, BTreeMap::new());
    for _ in 0..80 {
        // What is deleted leaves no trace in any list: only a message tells.
        run.by_hand(false);
        run.scenario.world.clock.advance_ms(run.rng.random_range(500..60_000));
        run.read_changes(&mut cursor, &mut heard).await;
    }
    // What changed during a round belongs to the next.
    for _ in 0..2 {
        while !run.read_changes(&mut cursor, &mut heard).await {}
    }
    assert!(run.counts["by hand"] > 40, "{:?}", run.counts);
    for there in run.scenario.simulator.appointments() {
        let so = (there.status.is_active(), there.start);
        match heard.get(&there.id) {
            Some(heard) => assert_eq!(*heard, so, "{there:?}"),
            None => assert!(!so.0, "never heard of {there:?}"),
        }
    }
}
