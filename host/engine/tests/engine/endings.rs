//! Conflicts that end without a person: as jobs, counted, and never without end, whatever a provider does.

use std::sync::atomic::{AtomicU64, Ordering};

use berth_model::{
    bookings::booking::Booking,
    limits,
    mirror::sync::{Conflict, ConflictKind, Done, Resolution, SourceOfTruth, SyncMode, SyncRules},
    outbound::provider::{ExternalBooking, ExternalStatus, WebhookEvent},
    time::Instant,
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    provider::{Fault, LOST},
    world::{World, half_hour, monday, world},
};

/// More jobs than any news may lead to.
const JOBS_MAX: usize = 40;

/// The provider tells of this booking in a message, each one another. How many jobs that led to.
async fn news(w: &World, counterpart: ExternalBooking) -> usize {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    let body = format!("news {}", TOLD.fetch_add(1, Ordering::Relaxed));
    crate::webhooks::send(w, &body, WebhookEvent::Updated(counterpart)).await;
    at_rest(w).await
}

/// Work until nothing is due. How many jobs that took.
async fn at_rest(w: &World) -> usize {
    let mut jobs = 0;
    loop {
        match w.later(5).await {
            0 => return jobs,
            some => jobs += some,
        }
        assert!(jobs < JOBS_MAX, "it never comes to rest");
    }
}

async fn all(w: &World) -> Vec<Conflict> {
    w.engine.mirror.list_conflicts(&w.caller, w.connection.id, None, true, 50).await.unwrap()
}

async fn open(w: &World) -> Vec<Conflict> {
    w.engine.mirror.list_conflicts(&w.caller, w.connection.id, None, false, 50).await.unwrap()
}

async fn rules(w: &World, mode: SyncMode, source_of_truth: SourceOfTruth, auto_resolve: bool) {
    let rules = SyncRules { mode, source_of_truth, auto_resolve, ..SyncRules::default() };
    w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, rules).await.unwrap();
}

/// Moved by somebody at the provider.
fn moved(w: &World, booking: &Booking, start: Instant) -> ExternalBooking {
    w.provider.edit(booking.external_id.as_deref().unwrap(), |t| t.when = half_hour(start))
}

const MODES: [SyncMode; 4] = [SyncMode::Off, SyncMode::Import, SyncMode::Export, SyncMode::Bidirectional];
const SOURCES: [SourceOfTruth; 2] = [SourceOfTruth::Provider, SourceOfTruth::Berth];

#[tokio::test]
async fn a_move_at_the_provider_ends_under_every_rule() {
    for (mode, source, auto) in
        MODES.into_iter().flat_map(|m| SOURCES.into_iter().flat_map(move |s| [(m, s, true), (m, s, false)]))
    {
        for free in [true, false] {
            let w = world().await;
            let booking = w.booked(monday("09:00")).await;
            if !free {
                w.booked(monday("10:00")).await;
            }
            rules(&w, mode, source, auto).await;
            let counterpart = moved(&w, &booking, monday("10:00"));
            news(&w, counterpart).await;
            let case = format!("{mode:?}, {source:?}, by itself: {auto}, free: {free}");
            assert_eq!(w.open_jobs().await, 0, "{case}");
            if mode == SyncMode::Off {
                assert!(all(&w).await.is_empty(), "{case}");
                assert_eq!(w.booking(booking.id).await.when.start(), monday("09:00"), "{case}");
                continue;
            }
            if open(&w).await.is_empty() {
                w.agrees(booking.id).await;
            } else {
                assert!(!auto || source == SourceOfTruth::Provider, "{case}: {:?}", open(&w).await);
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_followed_is_undone_and_a_person_may_choose_otherwise() {
    for source in SOURCES {
        let w = world().await;
        let booking = w.booked(monday("09:00")).await;
        rules(&w, SyncMode::Export, source, true).await;
        news(&w, moved(&w, &booking, monday("10:00"))).await;
        assert_eq!(w.booking(booking.id).await.when.start(), monday("09:00"), "ours counts");
        w.agrees(booking.id).await;
        let conflict = all(&w).await.remove(0);
        assert_eq!(
            (conflict.kind, conflict.resolution, conflict.resolved_by.as_deref()),
            (ConflictKind::BothChanged, Some(Resolution::Ours), Some("system"))
        );

        rules(&w, SyncMode::Export, source, false).await;
        news(&w, moved(&w, &w.booking(booking.id).await, monday("11:00"))).await;
        let conflict = open(&w).await.remove(0);
        let ended =
            w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Theirs).await.unwrap();
        assert_eq!((ended.done, ended.pending), (Done::MovedHere, false), "answered with its result");
        assert_eq!(w.booking(booking.id).await.when.start(), monday("11:00"));
        w.agrees(booking.id).await;
    }
}

#[tokio::test]
async fn a_provider_that_moves_it_back_again_and_again_is_left_to_a_person() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    rules(&w, SyncMode::Export, SourceOfTruth::Berth, true).await;
    let told = w.provider.count("reschedule");
    for _ in 0..20 {
        let counterpart = w.booking(booking.id).await;
        news(&w, moved(&w, &counterpart, monday("10:00"))).await;
    }
    let most = usize::try_from(limits::CONFLICT_ENDS_MAX).unwrap();
    assert_eq!(w.provider.count("reschedule") - told, most);
    assert_eq!(open(&w).await.len(), 1, "the last one waits for a person");
    assert_eq!(w.booking(booking.id).await.when.start(), monday("09:00"));

    // Long after, it is tried again; and a person may at any time.
    w.clock.pass_seconds(limits::CONFLICT_ENDS_SECONDS + 1);
    let conflict = open(&w).await.remove(0);
    w.engine.mirror.resolve_conflict(&w.caller, conflict.id, Resolution::Ours).await.unwrap();
    w.agrees(booking.id).await;
    news(&w, moved(&w, &w.booking(booking.id).await, monday("10:00"))).await;
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_provider_that_says_yes_and_does_not_move_leads_nowhere() {
    let w = world().await;
    let (booking, _) = (w.booked(monday("09:00")).await, w.booked(monday("10:00")).await);
    rules(&w, SyncMode::Bidirectional, SourceOfTruth::Berth, true).await;
    w.provider.state().stubborn = true;
    let told = w.provider.count("reschedule");
    let jobs = news(&w, moved(&w, &booking, monday("10:00"))).await;
    assert!(jobs > 1);
    let most = usize::try_from(limits::CONFLICT_ENDS_MAX).unwrap();
    assert!(w.provider.count("reschedule") - told <= most, "{jobs} jobs");
    assert_eq!(open(&w).await.len(), 1, "a person is told");
    assert_eq!(w.booking(booking.id).await.when.start(), monday("09:00"));
}

#[tokio::test]
async fn an_end_that_cannot_be_carried_out_for_now_is_tried_again() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    rules(&w, SyncMode::Export, SourceOfTruth::Provider, true).await;
    let counterpart = moved(&w, &booking, monday("10:00"));
    for _ in 0..8 {
        w.provider.next("get", Fault::Before(LOST));
    }
    news(&w, counterpart).await;
    for _ in 0..20 {
        w.later(900).await;
    }
    assert!(open(&w).await.is_empty());
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn an_end_is_about_both_sides_as_they_are_then() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    rules(&w, SyncMode::Export, SourceOfTruth::Provider, true).await;
    let counterpart = moved(&w, &booking, monday("10:00"));
    // Moved on before the end had its turn.
    for _ in 0..6 {
        w.provider.next("get", Fault::Before(LOST));
    }
    news(&w, counterpart).await;
    assert_eq!(open(&w).await.len(), 1, "not yet");
    moved(&w, &booking, monday("11:00"));
    let told = w.provider.count("reschedule");
    for _ in 0..5 {
        w.later(900).await;
    }
    assert_eq!(w.booking(booking.id).await.when.start(), monday("09:00"));
    assert_eq!(w.provider.count("reschedule"), told + 1, "moved back from where it is, once");
    w.agrees(booking.id).await;
}

/// News of any kind under any rules, in any order: everything comes to rest, and the rules may change in between.
#[tokio::test]
async fn whatever_a_provider_does_comes_to_rest() {
    for seed in [3, 4, rand::random::<u64>()] {
        println!("conflicts that end by themselves: seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let w = world().await;
        let starts = ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"].map(monday);
        let mut bookings = Vec::new();
        for start in &starts[..3] {
            bookings.push(w.booked(*start).await.id);
        }
        for _ in 0..60 {
            w.provider.state().stubborn = rng.random_bool(0.2);
            let id = bookings[rng.random_range(0..bookings.len())];
            let booking = w.booking(id).await;
            match rng.random_range(0..10_u32) {
                0..3 => {
                    let (mode, source) = (MODES[rng.random_range(0..4)], SOURCES[rng.random_range(0..2)]);
                    rules(&w, mode, source, rng.random_bool(0.7)).await;
                }
                3..8 if booking.status.is_active() && booking.external_id.is_some() => {
                    let counterpart = moved(&w, &booking, starts[rng.random_range(0..starts.len())]);
                    news(&w, counterpart).await;
                }
                8 if booking.status.is_active() && booking.external_id.is_some() && rng.random_bool(0.3) => {
                    let id = booking.external_id.clone().unwrap();
                    let counterpart = w.provider.edit(&id, |t| t.status = ExternalStatus::Cancelled);
                    news(&w, counterpart).await;
                }
                _ => {
                    let _ = w.reschedule(id, starts[rng.random_range(0..starts.len())]).await;
                    at_rest(&w).await;
                }
            }
            w.clock.pass_seconds(rng.random_range(0..600));
            at_rest(&w).await;
        }
        w.provider.state().stubborn = false;
        for _ in 0..30 {
            w.later(900).await;
        }
        assert_eq!(w.open_jobs().await, 0, "seed {seed}");
    }
}
