//! Several connections to one account, ids that change, modes and sources of truth at random, and a person who ends conflicts and thinks
//! better of it. Whoever cancels something is remembered; in the end nothing else is cancelled, and what was refused has had no effect.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use berth_engine::{CancelBooking, EventTypePatch, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::BookingId,
    mirror::sync::{Conflict, Done, Resolution, SyncMode},
    problem::Problem,
    time::Instant,
};
use berth_store::records::BookingFilter;
use rand::Rng;

use crate::{
    run::Run,
    scenario::{Deed, Open, RemoteBooking, Scenario},
};

/// Half hours that are fought for.
const STARTS: i64 = 40;

/// What both sides have.
#[derive(Debug, Clone, PartialEq)]
struct Sight {
    here: Option<(BookingStatus, Instant)>,
    there: Vec<(String, i64)>,
}

pub struct Sides {
    run: Run,
    seed: u64,
    operations: u32,
    /// Bookings of ours that a customer, a person at a provider or whoever ended a conflict has cancelled.
    may_be_over: BTreeSet<BookingId>,
    /// Bookings about which a person has said that both sides may differ.
    may_differ: BTreeSet<BookingId>,
    /// Bookings that people made at providers and did not cancel: the provider's number and the id.
    theirs: BTreeSet<(usize, String)>,
    refused: u32,
    refused_with_effect: Vec<String>,
    lives: BTreeMap<BookingId, Vec<String>>,
}

/// Refused for good, so that nothing may have been done. What was not answered may have been.
fn is_refusal(problem: &Problem) -> bool {
    (400..500).contains(&problem.code.status())
}

/// Everything of a tenant is with one member, so that what happens at one provider is in the way of what is booked over another.
async fn one_member_for_each_tenant(run: &Run) {
    let mut members = BTreeMap::new();
    for side in &run.sides {
        let event_type = run.engine.catalog.event_type(&side.caller, side.event_type).await.unwrap();
        let member = *members.entry(side.caller.tenant).or_insert(event_type.members[0]);
        let patch = EventTypePatch { members: Some(vec![member]), ..EventTypePatch::default() };
        run.engine.catalog.update_event_type(&side.caller, side.event_type, patch, None).await.unwrap();
    }
}

impl Sides {
    pub async fn start(tenants: &[&[(Open, i64)]], seed: u64) -> Self {
        let mut run = Run::start(tenants, seed).await;
        // Every account has a second connection, of the tenant or of the other one.
        let first = run.sides.len();
        for at in 0..first {
            let (own, other) =
                (at, (0..first).find(|o| run.sides[*o].caller.tenant != run.sides[at].caller.tenant));
            let of = if at % 2 == 0 { own } else { other.unwrap() };
            run.connect_again(at, of).await;
        }
        // A third one to the first account, which gives another id with every move.
        run.connect_again(0, first - 1).await;
        one_member_for_each_tenant(&run).await;
        Self {
            run,
            seed,
            operations: 0,
            may_be_over: BTreeSet::new(),
            may_differ: BTreeSet::new(),
            theirs: BTreeSet::new(),
            refused: 0,
            refused_with_effect: Vec::new(),
            lives: BTreeMap::new(),
        }
    }

    /// The number of a side's provider: of the first side that has it.
    fn provider_of(&self, at: usize) -> usize {
        let provider = &self.run.sides[at].provider;
        self.run.sides.iter().position(|side| Arc::ptr_eq(&side.provider, provider)).unwrap()
    }

    fn some(&mut self) -> usize {
        self.run.rng.random_range(0..self.run.sides.len())
    }

    pub async fn operation(&mut self) {
        self.operations += 1;
        let at = self.some();
        let start = self.run.some_start_of(STARTS);
        match self.run.rng.random_range(0..100_u32) {
            0..22 => self.run.book(at, start).await,
            22..27 => self.change(at, None).await,
            27..39 => self.change(at, Some(start)).await,
            39..58 => self.person(at, start.micros()),
            58..62 => self.run.change_rules(at).await,
            62..70 => self.end_a_conflict(false).await,
            70..74 => self.end_a_conflict(true).await,
            74..98 => self.run.background().await,
            _ => self.run.engine = self.run.another_engine(),
        }
        self.run.collect();
    }

    async fn sight(&self, at: usize, booking: Option<BookingId>) -> Sight {
        let side = &self.run.sides[at];
        let here = match booking {
            Some(id) => {
                let booking = self.run.engine.bookings.booking(&side.caller, id).await.unwrap();
                Some((booking.status, booking.when.start()))
            }
            None => None,
        };
        let mut there: Vec<_> = side.provider.active().into_iter().map(|t| (t.id, t.start)).collect();
        there.sort_unstable();
        Sight { here, there }
    }

    /// Something was refused: both sides have what they had. Ours may be where its counterpart was moved before, or over as its counterpart was before.
    async fn had_no_effect(
        &mut self,
        at: usize,
        booking: Option<BookingId>,
        before: Sight,
        what: &str,
        why: &Problem,
    ) {
        self.refused += 1;
        let after = self.sight(at, booking).await;
        let follows = match (booking, after.here) {
            (Some(id), Some((status, start))) => {
                let is_there = self.counterparts_of(at, id).iter().any(|t| t.start == start.micros());
                (status.is_active() && is_there) || self.may_be_over.contains(&id)
            }
            _ => false,
        };
        if after.there != before.there || (after.here != before.here && !follows) {
            let line = format!("{what} over {}: {why:?}: {before:?} → {after:?}", self.run.sides[at].plugin);
            self.refused_with_effect.push(line);
        }
    }

    fn counterparts_of(&self, at: usize, booking: BookingId) -> Vec<RemoteBooking> {
        let mut remotes = self.run.sides[at].provider.active();
        remotes.retain(|t| t.reference.as_deref() == Some(booking.to_string().as_str()));
        remotes
    }

    fn noted(&mut self, booking: BookingId, what: String) {
        self.lives.entry(booking).or_default().push(format!("{}: {what}", self.operations));
    }

    /// What customers ask for.
    async fn change(&mut self, at: usize, to: Option<Instant>) {
        let all = &self.run.sides[at].acknowledged;
        let Some(id) = all.get(self.run.rng.random_range(0..all.len().max(1))).copied() else { return };
        let before = self.sight(at, Some(id)).await;
        let caller = self.run.sides[at].caller.clone();
        let (expected_sequence, bound_by_cutoffs) = (None, false);
        let (done, what) = match to {
            None => {
                let cancel = CancelBooking { reason: None, expected_sequence, bound_by_cutoffs };
                (self.run.engine.bookings.cancel(&caller, id, cancel).await, "cancelled")
            }
            Some(start) => {
                let to = RescheduleBooking { start, expected_sequence, bound_by_cutoffs };
                (self.run.engine.bookings.reschedule(&caller, id, to).await, "moved")
            }
        };
        self.noted(id, format!("{what} by its customer: {}", done.is_ok()));
        match done {
            Err(problem) if is_refusal(&problem) => {
                self.had_no_effect(at, Some(id), before, what, &problem).await;
            }
            _ => {
                if to.is_none() {
                    self.may_be_over.insert(id);
                }
                self.run.count(what);
            }
        }
    }

    /// Somebody works in a provider's own calendar.
    fn person(&mut self, at: usize, start: i64) {
        let (number, provider) = (self.provider_of(at), self.run.sides[at].provider.clone());
        let before = provider.active();
        let some = before.get(self.run.rng.random_range(0..before.len().max(1))).cloned();
        let deed = match (self.run.rng.random_range(0..3_u32), &some) {
            (0, Some(some)) => Deed::Cancel(&some.id),
            (1, Some(some)) => Deed::Move(&some.id, start),
            _ => Deed::Book(start),
        };
        let booking = some.as_ref().and_then(|t| t.reference.as_ref()).and_then(|r| r.parse().ok());
        let done = provider.person(deed);
        self.run.count(if done.is_ok() { "by hand" } else { "refused by hand" });
        if let (Some(booking), Deed::Cancel(_) | Deed::Move(..)) = (booking, deed) {
            self.noted(booking, format!("{deed:?} by a person: {done:?}"));
        }
        if done.is_err() {
            return;
        }
        match (deed, booking) {
            (Deed::Cancel(_), Some(booking)) => {
                self.may_be_over.insert(booking);
            }
            (Deed::Move(..), Some(_)) => {}
            (deed, _) => {
                if let Deed::Cancel(id) | Deed::Move(id, _) = deed {
                    self.theirs.remove(&(number, id.to_owned()));
                }
                if !matches!(deed, Deed::Cancel(_)) {
                    let was_there = |remote: &RemoteBooking| before.iter().any(|b| b.id == remote.id);
                    let moved = |remote: &RemoteBooking| matches!(deed, Deed::Move(id, _) if id == remote.id);
                    let made =
                        provider.active().into_iter().filter(|remote| moved(remote) || !was_there(remote));
                    self.theirs.extend(made.map(|remote| (number, remote.id)));
                }
            }
        }
    }

    /// A person looks at all conflicts, and ends one, or chooses the other end of one.
    async fn end_a_conflict(&mut self, again: bool) {
        let mut some: Vec<(usize, Conflict)> = Vec::new();
        for (at, side) in self.run.sides.iter().enumerate() {
            let all =
                self.run.engine.mirror.list_conflicts(&side.caller, side.connection, None, again, 50).await;
            some.extend(all.unwrap().into_iter().filter(|c| c.resolved == again).map(|c| (at, c)));
        }
        let number = self.run.rng.random_range(0..some.len().max(1));
        let Some((at, conflict)) = some.get(number).cloned() else { return };
        let caller = self.run.sides[at].caller.clone();
        let before = self.sight(at, conflict.booking).await;
        let known = self.run.sides[at].provider.active();
        let resolution = Resolution::ALL[self.run.rng.random_range(0..Resolution::ALL.len())];
        let ended = if again {
            self.run.engine.mirror.revert_conflict(&caller, conflict.id).await
        } else {
            self.run.engine.mirror.resolve_conflict(&caller, conflict.id, resolution).await
        };
        let what = if again { "reverted" } else { "ended" };
        if let Some(booking) = conflict.booking {
            let done = ended.as_ref().map(|e| e.done);
            self.noted(booking, format!("{:?} {what} {resolution:?}: {done:?}", conflict.kind));
        }
        let done = match ended {
            Ok(ended) => ended.done,
            Err(problem) if is_refusal(&problem) => {
                self.had_no_effect(at, conflict.booking, before, what, &problem).await;
                return;
            }
            // Perhaps it was done, and the answer lost.
            Err(_) if !again && resolution == Resolution::Ours => Done::TheirsCancelled,
            Err(_) if !again && resolution == Resolution::Theirs => Done::OursCancelled,
            Err(_) => return,
        };
        self.run.count(what);
        if resolution == Resolution::Ignored && !again {
            self.may_differ.extend(conflict.booking);
        }
        match (done, conflict.booking, conflict.external_id) {
            (Done::OursCancelled, Some(booking), _) => {
                self.may_be_over.insert(booking);
            }
            (Done::TheirsCancelled, _, Some(id)) => {
                // To another tenant a counterpart of ours is a stranger's, and whoever ends the conflict there may have it cancelled.
                let of_ours = known
                    .iter()
                    .filter(|remote| remote.id == id)
                    .filter_map(|remote| remote.reference.as_ref());
                self.may_be_over.extend(of_ours.filter_map(|reference| reference.parse::<BookingId>().ok()));
                let number = self.provider_of(at);
                self.theirs.remove(&(number, id));
            }
            _ => {}
        }
    }

    async fn bookings(&self, at: usize) -> Vec<Booking> {
        let side = &self.run.sides[at];
        let filter = BookingFilter { connection: Some(side.connection), ..BookingFilter::default() };
        self.run.world.store.list_bookings(side.caller.tenant, filter, 5_000).await.unwrap()
    }

    /// The faults end; nothing is cancelled that nobody cancelled, and whatever stands is at its provider once.
    pub async fn come_to_rest(&mut self) {
        self.run.settle().await;
        let mut wrong = Vec::new();
        let (mut standing, mut waiting) = (0, 0);
        for at in 0..self.run.sides.len() {
            let side = &self.run.sides[at];
            let open =
                self.run.engine.mirror.list_conflicts(&side.caller, side.connection, None, false, 100).await;
            let open: BTreeSet<_> = open.unwrap().into_iter().filter_map(|c| c.booking).collect();
            let mode = self
                .run
                .engine
                .mirror
                .sync_status(&side.caller, side.connection)
                .await
                .unwrap()
                .state
                .rules
                .mode;
            for booking in self.bookings(at).await {
                let place = format!("{} over {} ({mode:?})", booking.id, side.plugin);
                if booking.status == BookingStatus::Cancelled && !self.may_be_over.contains(&booking.id) {
                    wrong.push(format!("{place} is cancelled, and nobody cancelled it"));
                    self.tell(at, &booking).await;
                }
                if booking.status != BookingStatus::Confirmed || mode == SyncMode::Off {
                    continue;
                }
                if open.contains(&booking.id) || self.may_differ.contains(&booking.id) {
                    waiting += 1;
                    continue;
                }
                standing += 1;
                let there = self.counterparts_of(at, booking.id);
                if there.len() != 1 || there[0].start != booking.when.start().micros() {
                    wrong.push(format!("{place} at {:?} stands so: {there:?}", booking.when));
                    self.tell(at, &booking).await;
                }
            }
        }
        for (number, id) in &self.theirs {
            let provider: &Arc<dyn Scenario> = &self.run.sides[*number].provider;
            if !provider.active().iter().any(|t| t.id == *id) {
                let plugin = &self.run.sides[*number].plugin;
                wrong.push(format!(
                    "{id} at {plugin}, which a person made, is cancelled, and nobody cancelled it"
                ));
            }
        }
        println!(
            "several connections to one account: seed {}, {} operations over {} connections, {standing} bookings stand, {waiting} wait for \
             a person, {} of others stand; wrong cancellations: {}; refused changes: {}, with an effect: {}; {:?}",
            self.seed,
            self.operations,
            self.run.sides.len(),
            self.theirs.len(),
            wrong.len(),
            self.refused,
            self.refused_with_effect.len(),
            self.run.counts,
        );
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(self.refused_with_effect.is_empty(), "{:#?}", self.refused_with_effect);
        assert!(standing > 0 && self.refused > 0 && !self.theirs.is_empty(), "too little happened");
        self.run.tenants_are_apart().await;
    }

    /// For whoever looks into a seed that failed.
    async fn tell(&self, at: usize, booking: &Booking) {
        println!("{booking:?}");
        for line in self.lives.get(&booking.id).into_iter().flatten() {
            println!("  operation {line}");
        }
        for entry in self.run.engine.bookings.timeline(&self.run.sides[at].caller, booking.id).await.unwrap()
        {
            println!("  {} {} by {}: {}", entry.audit.at, entry.action, entry.audit.actor, entry.data);
        }
    }
}
