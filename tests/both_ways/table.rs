//! The table of the four modes, cell by cell, for every provider.

use berth_engine::{BookRequest, Caller, CancelBooking, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::BookingId,
    mirror::sync::{SyncMode, SyncRules},
    outbound::provider::Attendee,
    problem::Code,
    time::{Clock as _, Instant, Interval},
};
use berth_simulators::faults::Rates;

use crate::{
    run::Run,
    scenario::{Deed, Open},
};

/// Where a booking is: here if it stands, and at the provider.
type Places = (Option<i64>, Vec<i64>);

/// Providers that let nobody but the customer move a booking, on a page of theirs.
const MOVED_BY_CUSTOMERS_ALONE: [&str; 1] = ["calendly"];
const HALF_HOUR_SECONDS: i64 = 1_800;

pub struct Table {
    run: Run,
    first: Instant,
    cells: u32,
}

impl Table {
    /// One tenant for each mode.
    pub async fn start(tenants: &[&[(Open, i64)]; 4]) -> Self {
        let run = Run::start(tenants, 71).await;
        for side in &run.sides {
            side.provider.set_rates(Rates::default());
        }
        let day = run.world.clock.now().micros() / 86_400_000_000 + 3;
        let mut table = Self { run, first: Instant::from_micros(day * 86_400_000_000), cells: 0 };
        for at in 0..table.run.sides.len() {
            let side = &table.run.sides[at];
            let event_type =
                table.run.engine.catalog.event_type(&side.caller, side.event_type).await.unwrap();
            let member = event_type.members.first().copied();
            let rules = SyncRules { mode: table.mode(at), member, ..SyncRules::default() };
            table.run.engine.mirror.set_sync_rules(&side.caller, side.connection, rules).await.unwrap();
        }
        table.rest().await;
        table
    }

    fn mode(&self, at: usize) -> SyncMode {
        let tenants: Vec<_> = self.run.sides.iter().map(|s| s.caller.tenant).collect();
        let mut different = tenants.clone();
        different.dedup();
        let tenant = different.iter().position(|t| *t == tenants[at]).unwrap();
        SyncMode::ALL[tenant]
    }

    fn caller(&self, at: usize) -> Caller {
        self.run.sides[at].caller.clone()
    }

    /// The half hour with this number.
    fn half_hour(&self, n: i64) -> Instant {
        self.first.plus_seconds(n * HALF_HOUR_SECONDS)
    }

    /// Everything that was said arrives, everything is read, and everything that is to be done is done.
    async fn rest(&mut self) {
        for _ in 0..3 {
            self.run.collect();
            for at in 0..self.run.sides.len() {
                self.run.all_messages(at).await;
                let side = &self.run.sides[at];
                self.run.engine.mirror.start_sync(&side.caller, side.connection, false).await.unwrap();
            }
            for _ in 0..20 {
                while self.run.engine.jobs.run_due_jobs(64).await.unwrap() > 0 {}
                self.run.world.clock.advance_ms(5_000);
            }
        }
    }

    async fn book(&self, at: usize, start: Instant) -> Booking {
        let request = BookRequest {
            event_type: self.run.sides[at].event_type,
            start,
            length_minutes: None,
            hold: None,
            member: None,
            provider: None,
            attendee: Attendee {
                name: "Ada".to_owned(),
                email: Some(format!("ada{}@example.com", start.micros())),
                phone: None,
                time_zone: "UTC".to_owned(),
                language: None,
            },
            guests: Vec::new(),
            answers: serde_json::Map::new(),
            location: None,
            notes: None,
            allow_blocked: false,
            metadata: std::collections::BTreeMap::new(),
            consents: Vec::new(),
        };
        self.run.engine.bookings.book(&self.caller(at), request).await.unwrap().booking
    }

    async fn places(&self, at: usize, id: BookingId) -> Places {
        let booking = self.run.engine.bookings.booking(&self.caller(at), id).await.unwrap();
        let here = (booking.status == BookingStatus::Confirmed).then(|| booking.when.start().micros());
        let remotes = self.run.sides[at].provider.active().into_iter();
        let ours = remotes.filter(|t| t.reference.as_deref() == Some(id.to_string().as_str()));
        (here, ours.map(|t| t.start).collect())
    }

    async fn cell(&mut self, at: usize, id: BookingId, row: &str, expected: Places) {
        let place = format!("{row}, {:?}, {}", self.mode(at), self.run.sides[at].plugin);
        assert_eq!(self.places(at, id).await, expected, "{place}");
        self.cells += 1;
    }

    /// The counterpart that a person finds at the provider at this time.
    fn there(&self, at: usize, start: Instant) -> String {
        let remotes = self.run.sides[at].provider.active();
        remotes.into_iter().find(|t| t.start == start.micros()).unwrap().id
    }

    fn deed(&self, at: usize, deed: Deed<'_>) {
        self.run.sides[at].provider.person(deed).unwrap();
    }

    pub async fn is_so(&mut self) {
        self.changes_here().await;
        self.changes_there().await;
        self.others().await;
        let sides = self.run.sides.len();
        println!("cells of the table of modes tried: {} over {sides} connections", self.cells);
        assert_eq!(self.cells, 8 * u32::try_from(sides).unwrap());
    }

    async fn changes_here(&mut self) {
        let (from, to) = (self.half_hour(0), self.half_hour(1));
        for at in 0..self.run.sides.len() {
            let id = self.book(at, from).await.id;
            self.rest_of(at).await;
            self.cell(at, id, "booked here", (Some(from.micros()), vec![from.micros()])).await;

            let reschedule =
                RescheduleBooking { start: to, expected_sequence: None, bound_by_cutoffs: false };
            let moved = self.run.engine.bookings.reschedule(&self.caller(at), id, reschedule).await;
            let by_customers = MOVED_BY_CUSTOMERS_ALONE.contains(&self.run.sides[at].plugin.as_str());
            let stands = match (self.mode(at), moved) {
                (SyncMode::Import, moved) => {
                    assert_eq!(moved.unwrap_err().code, Code::ChangedThere);
                    from
                }
                (_, Err(problem)) if by_customers => {
                    assert_eq!(problem.code, Code::ProviderUnsupported, "{problem:?}");
                    from
                }
                (_, moved) => {
                    moved.unwrap();
                    to
                }
            };
            self.rest_of(at).await;
            self.cell(at, id, "moved here", (Some(stands.micros()), vec![stands.micros()])).await;

            let cancelled =
                self.run.engine.bookings.cancel(&self.caller(at), id, CancelBooking::default()).await;
            let expected = if self.mode(at) == SyncMode::Import {
                assert_eq!(cancelled.unwrap_err().code, Code::ChangedThere);
                (Some(stands.micros()), vec![stands.micros()])
            } else {
                cancelled.unwrap();
                (None, vec![])
            };
            self.rest_of(at).await;
            self.cell(at, id, "cancelled here", expected).await;
        }
    }

    async fn rest_of(&mut self, at: usize) {
        self.run.collect();
        self.run.all_messages(at).await;
        while self.run.engine.jobs.run_due_jobs(64).await.unwrap() > 0 {}
    }

    async fn changes_there(&mut self) {
        let (from, to, other) = (self.half_hour(4), self.half_hour(6), self.half_hour(8));
        let mut all = Vec::new();
        for at in 0..self.run.sides.len() {
            all.push((self.book(at, from).await.id, self.book(at, other).await.id));
        }
        self.rest().await;
        for at in 0..all.len() {
            self.deed(at, Deed::Move(&self.there(at, from), to.micros()));
            self.deed(at, Deed::Cancel(&self.there(at, other)));
        }
        self.rest().await;
        let (from, to, other) = (from.micros(), to.micros(), other.micros());
        for (at, (moved, cancelled)) in all.into_iter().enumerate() {
            let by_customers = MOVED_BY_CUSTOMERS_ALONE.contains(&self.run.sides[at].plugin.as_str());
            let expected = match self.mode(at) {
                SyncMode::Off => (Some(from), vec![to]),
                // It cannot be moved back by us: a person is asked.
                SyncMode::Export if by_customers => {
                    let side = &self.run.sides[at];
                    let open = self
                        .run
                        .engine
                        .mirror
                        .list_conflicts(&side.caller, side.connection, None, false, 9)
                        .await;
                    assert!(open.unwrap().iter().any(|c| c.booking == Some(moved) && c.own_counterpart));
                    (Some(from), vec![to])
                }
                SyncMode::Export => (Some(from), vec![from]),
                SyncMode::Import | SyncMode::Bidirectional => (Some(to), vec![to]),
            };
            self.cell(at, moved, "ours moved there", expected).await;
            let expected = match self.mode(at) {
                SyncMode::Off => (Some(other), vec![]),
                SyncMode::Export => (Some(other), vec![other]),
                SyncMode::Import | SyncMode::Bidirectional => (None, vec![]),
            };
            self.cell(at, cancelled, "ours cancelled there", expected).await;
        }
    }

    /// Starts at which bookings of others take somebody's time.
    async fn taken(&self, at: usize) -> Vec<i64> {
        let side = &self.run.sides[at];
        let within = Interval::new(self.half_hour(12), self.half_hour(18)).unwrap();
        let known =
            self.run.world.store.mirrored_within(side.caller.tenant, side.connection, within).await.unwrap();
        let taking = known.iter().filter(|m| m.booking.is_none() && m.member.is_some());
        taking.map(|m| m.external.when.start().micros()).collect()
    }

    async fn others(&mut self) {
        let (from, to) = (self.half_hour(12), self.half_hour(14));
        for row in ["booked there", "moved there", "cancelled there"] {
            for at in 0..self.run.sides.len() {
                match row {
                    "booked there" => self.deed(at, Deed::Book(from.micros())),
                    "moved there" => self.deed(at, Deed::Move(&self.there(at, from), to.micros())),
                    _ => self.deed(at, Deed::Cancel(&self.there(at, to))),
                }
            }
            self.rest().await;
            for at in 0..self.run.sides.len() {
                let taken = match (row, self.mode(at).follows_changes()) {
                    ("booked there", true) => vec![from.micros()],
                    ("moved there", true) => vec![to.micros()],
                    _ => vec![],
                };
                let place = format!("{row}, not ours, {:?}, {}", self.mode(at), self.run.sides[at].plugin);
                assert_eq!(self.taken(at).await, taken, "{place}");
                self.cells += 1;
            }
        }
    }
}
