//! Many changes at both ends, a quarter of all requests faulty, messages doubled and shuffled: afterwards both sides agree.

use std::collections::BTreeMap;

use berth_engine::{CancelBooking, RescheduleBooking};
use berth_model::{
    bookings::booking::BookingStatus,
    id::BookingId,
    problem::{Code, Problem},
    time::{Clock, Instant},
};
use berth_simulators::{booksy, faults::Rates, front::Delivery};
use berth_store::records::BookingFilter;
use rand::{
    Rng, SeedableRng,
    rngs::StdRng,
    seq::{IndexedRandom, SliceRandom},
};

use super::Salon;

const OPERATIONS: u32 = 200;
const HALF_HOUR_MICROS: i64 = 1_800_000_000;
const DAY_MICROS: i64 = 48 * HALF_HOUR_MICROS;
/// Rounds of an hour each until both sides must agree.
const SETTLING_ROUNDS: u32 = 60;

struct Storm {
    salon: Salon,
    rng: StdRng,
    acknowledged: Vec<BookingId>,
    waiting: Vec<Delivery>,
    desk_moves: i64,
    counts: BTreeMap<&'static str, u32>,
}

impl Storm {
    async fn begin(seed: u64) -> Self {
        let salon = Salon::connected(seed).await;
        salon.simulator.set_rates(Rates {
            rate_limited: 0.04,
            server_error: 0.06,
            drop_before: 0.05,
            drop_after: 0.07,
            malformed: 0.03,
            webhook_duplicate: 0.3,
            ..Rates::default()
        });
        let rng = StdRng::seed_from_u64(seed);
        let (acknowledged, waiting, counts) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { salon, rng, acknowledged, waiting, desk_moves: 0, counts }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A start within two days: crowded enough that bookings meet.
    fn some_start(&mut self) -> Instant {
        let today = self.salon.world.clock.now().micros().div_euclid(DAY_MICROS) * DAY_MICROS;
        Instant::from_micros(today + self.rng.random_range(48..3 * 48) * HALF_HOUR_MICROS)
    }

    fn some_booking(&mut self) -> Option<BookingId> {
        self.acknowledged.choose(&mut self.rng).copied()
    }

    fn refused(&mut self, problem: &Problem) {
        let known = matches!(
            problem.code,
            Code::SlotTaken | Code::WrongState | Code::Changed | Code::ProviderRefused
        );
        assert!(known, "not a refusal: {problem:?}");
        self.count("refused");
    }

    async fn operation(&mut self) {
        let (engine, caller) = (self.salon.world.engine.clone(), self.salon.world.caller.clone());
        match self.rng.random_range(0..100_u32) {
            0..40 => {
                let start = self.some_start().to_string();
                match self.salon.book(&start).await {
                    Ok(outcome) => {
                        self.acknowledged.push(outcome.booking.id);
                        self.count(if outcome.pending { "pending" } else { "booked" });
                    }
                    Err(problem) => self.refused(&problem),
                }
            }
            40..55 => {
                let Some(id) = self.some_booking() else { return };
                match engine.bookings.cancel(&caller, id, CancelBooking::default()).await {
                    Ok(_) => self.count("cancelled"),
                    Err(problem) => self.refused(&problem),
                }
            }
            55..70 => {
                let (Some(id), start) = (self.some_booking(), self.some_start()) else { return };
                let to = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
                match engine.bookings.reschedule(&caller, id, to).await {
                    Ok(_) => self.count("moved"),
                    Err(problem) => self.refused(&problem),
                }
            }
            70..80 => self.at_the_desk(),
            80..90 => self.deliver().await,
            _ => self.salon.jobs().await,
        }
        self.salon.world.clock.advance_ms(self.rng.random_range(500..10_000));
        self.waiting.extend(self.salon.simulator.take_deliveries());
    }

    /// Somebody at the desk cancels, moves to where nobody else does, or takes a walk-in.
    fn at_the_desk(&mut self) {
        let active = self.salon.simulator.active_bookings();
        let Some(some) = active.choose(&mut self.rng).map(|b| b.id.clone()) else { return };
        let done = match self.rng.random_range(0..3_u32) {
            0 => self.salon.simulator.cancel_out_of_band(&some, "ill"),
            1 => {
                self.desk_moves += 1;
                let start = super::at("2027-06-01T00:00:00Z").micros() + self.desk_moves * HALF_HOUR_MICROS;
                self.salon.simulator.move_out_of_band(&some, start)
            }
            _ => {
                let start = self.some_start().micros();
                self.salon.simulator.book_out_of_band("svc_2", start).map(drop)
            }
        };
        self.count(if done.is_ok() { "desk" } else { "desk, refused" });
    }

    async fn deliver(&mut self) {
        self.waiting.shuffle(&mut self.rng);
        for delivery in std::mem::take(&mut self.waiting) {
            match self.salon.receive(&delivery).await {
                Ok(reply) => assert_eq!(reply.status, 200),
                // Too old by now: the salon sends it again, signed anew.
                Err(problem) => {
                    assert_eq!(problem.code, Code::WebhookRefused, "{problem:?}");
                    self.salon.simulator.not_taken(&delivery, 400);
                }
            }
            self.count("message");
        }
    }

    /// Let the faults end, and both sides come to rest.
    async fn settle(&mut self) {
        self.salon.simulator.set_rates(Rates::default());
        for _ in 0..SETTLING_ROUNDS {
            self.waiting.extend(self.salon.simulator.take_deliveries());
            self.deliver().await;
            self.salon.world.clock.advance_ms(3_600_000);
            self.salon.jobs().await;
            let open = self.salon.world.store.open_job_count().await.unwrap();
            if open == 0 && self.waiting.is_empty() && self.salon.simulator.take_deliveries().is_empty() {
                return;
            }
        }
        panic!("it never came to rest");
    }

    async fn check(&self) {
        let tenant = self.salon.world.caller.tenant;
        let ours = self.salon.world.store.list_bookings(tenant, BookingFilter::default(), 500).await.unwrap();
        let mut counterparts: BTreeMap<String, Vec<booksy::Booking>> = BTreeMap::new();
        for counterpart in self.salon.simulator.bookings() {
            if let Some(reference) = counterpart.external_ref.clone() {
                counterparts.entry(reference).or_default().push(counterpart);
            }
        }
        for id in &self.acknowledged {
            assert!(ours.iter().any(|b| b.id == *id), "{id} was acknowledged and is lost");
        }
        for booking in &ours {
            let found = counterparts.remove(&format!("berth:{}", booking.id)).unwrap_or_default();
            assert!(found.len() <= 1, "{} exists {} times at the salon", booking.id, found.len());
            assert_eq!(booking.provider_task, None, "{} never came to rest", booking.id);
            match (booking.status, found.first().filter(|counterpart| counterpart.status.is_active())) {
                (BookingStatus::Confirmed, Some(counterpart)) => {
                    assert_eq!(counterpart.start, booking.when.start().micros(), "{}", booking.id);
                }
                (BookingStatus::Cancelled | BookingStatus::Failed, None) => {}
                (status, counterpart) => {
                    panic!("{} is {status:?} here, at the salon {counterpart:?}", booking.id)
                }
            }
        }
        assert!(counterparts.is_empty(), "at the salon, unknown here: {counterparts:?}");
    }
}

#[tokio::test]
async fn both_sides_agree_after_a_storm() {
    for seed in 100..102 {
        let mut storm = Storm::begin(seed).await;
        for _ in 0..OPERATIONS {
            storm.operation().await;
        }
        storm.settle().await;
        storm.check().await;
        println!("seed {seed}: {:?}", storm.counts);
        let happened = |what| storm.counts.get(what).copied().unwrap_or(0);
        assert!(
            happened("booked") > 10 && happened("pending") > 3 && happened("desk") > 3,
            "{:?}",
            storm.counts
        );
    }
}
