//! Synchronisation: everything once, then what changed; conflicts with both versions, and how they end.

use berth_engine::{AvailabilityQuery, SyncStatus};
use berth_model::{
    bookings::booking::BookingStatus,
    catalog::event_type::EventTypePolicy,
    mirror::sync::{
        Conflict, ConflictKind, Done, ItemKind, MirroredItem, Resolution, SourceOfTruth, SyncMode, SyncPhase,
        SyncRules,
    },
    outbound::provider::{CallError, ExternalBooking, ExternalStatus, Money, ProviderError},
    problem::Code,
    time::{Instant, Interval},
};
use serde_json::{Value, json};

use crate::{
    provider::{Fault, LOST},
    world::{World, attendee, half_hour, monday, world},
};

const DAY: i64 = 86_400;

/// A booking that somebody made at the provider.
pub(crate) fn external_booking(id: &str, start: Instant) -> ExternalBooking {
    ExternalBooking {
        id: id.to_owned(),
        reference: None,
        status: ExternalStatus::Confirmed,
        when: half_hour(start),
        event_type: Some("et-1".to_owned()),
        title: Some("Theirs".to_owned()),
        attendees: vec![attendee()],
        location: None,
        cancellation_reason: None,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: None,
        raw: Value::Null,
    }
}

pub(crate) fn tell(w: &World, bookings: impl IntoIterator<Item = ExternalBooking>) {
    w.provider.state().changes.get_or_insert_default().extend(bookings);
}

async fn status(w: &World) -> SyncStatus {
    w.engine.mirror.sync_status(&w.caller, w.connection.id).await.unwrap()
}

/// Synchronise until nothing is left to do.
pub(crate) async fn synced(w: &World) -> SyncStatus {
    w.engine.mirror.start_sync(&w.caller, w.connection.id, false).await.unwrap();
    while w.later(0).await > 0 {}
    status(w).await
}

async fn conflicts(w: &World) -> Vec<Conflict> {
    w.engine.mirror.list_conflicts(&w.caller, w.connection.id, None, false, 50).await.unwrap()
}

async fn rules(w: &World, rules: SyncRules) {
    w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, rules).await.unwrap();
}

/// Starts that are offered on Monday.
pub(crate) async fn offered(w: &World) -> Vec<Instant> {
    let query = AvailabilityQuery {
        event_type: w.event_type.id,
        within: Interval::new(monday("00:00"), monday("23:00")).unwrap(),
        time_zone: "Europe/Warsaw".parse().unwrap(),
        length_minutes: None,
        member: None,
        provider: None,
        explain: false,
    };
    let answer = w.engine.availability.availability(&w.caller, query).await.unwrap();
    answer.slots.iter().map(|slot| slot.when.start()).collect()
}

#[tokio::test]
async fn everything_is_read_once_then_what_changed() {
    let w = world().await;
    tell(&w, (0..25).map(|n| external_booking(&format!("f{n}"), monday("09:00").plus_seconds(n * DAY))));
    w.provider.state().page_size = Some(10);
    let first = synced(&w).await.state;
    assert_eq!(
        (first.phase, first.pages, first.items, first.error.as_deref()),
        (SyncPhase::Idle, 3, 25, None)
    );
    assert!(first.full_at.is_some());
    tell(&w, [external_booking("f25", monday("11:00"))]);
    let second = synced(&w).await.state;
    assert_eq!((second.pages, second.items, second.full_at), (1, 1, first.full_at));

    // Now and then everything, but first what changed: lists begin with what is to come.
    w.clock.pass_seconds(berth_model::limits::SYNC_FULL_SECONDS);
    tell(&w, [external_booking("f26", monday("11:30"))]);
    let third = synced(&w).await.state;
    assert_eq!((third.items, third.full_at), (1, first.full_at));
    assert!(third.due_at.is_some_and(|due| due <= w.engine.now()), "everything is next");
    w.engine.mirror.begin_syncs().await.unwrap();
    while w.later(0).await > 0 {}
    let fourth = status(&w).await.state;
    assert_eq!((fourth.items, fourth.full_at > third.full_at), (27, true));
}

#[tokio::test]
async fn what_is_booked_there_is_not_offered_here() {
    let w = world().await;
    assert!(offered(&w).await.contains(&monday("10:00")));
    tell(&w, [external_booking("f1", monday("10:00"))]);
    synced(&w).await;
    assert!(!offered(&w).await.contains(&monday("10:00")), "at once, from the mirror");
    assert!(w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.is_err());

    // Moved, with time kept free around it; then cancelled.
    rules(&w, SyncRules { buffer_minutes: 15, ..SyncRules::default() }).await;
    tell(&w, [external_booking("f1", monday("11:00"))]);
    synced(&w).await;
    let now = offered(&w).await;
    assert!(
        now.contains(&monday("10:00")) && !now.contains(&monday("10:30")) && !now.contains(&monday("11:30"))
    );
    tell(
        &w,
        [ExternalBooking { status: ExternalStatus::Cancelled, ..external_booking("f1", monday("11:00")) }],
    );
    synced(&w).await;
    assert!(offered(&w).await.contains(&monday("11:00")));
}

#[tokio::test]
async fn a_synchronisation_goes_on_where_it_was() {
    let w = world().await;
    tell(&w, (0..30).map(|n| external_booking(&format!("f{n}"), monday("09:00").plus_seconds(n * DAY))));
    w.provider.state().page_size = Some(10);
    w.engine.mirror.start_sync(&w.caller, w.connection.id, false).await.unwrap();
    // The process dies in the middle of the third page.
    w.provider.next("list_changes", Fault::Meanwhile(Box::new(|| Box::pin(async {}))));
    w.provider.next("list_changes", Fault::Meanwhile(Box::new(|| Box::pin(async {}))));
    w.provider.next("list_changes", Fault::Before(LOST));
    w.later(0).await;
    let halfway = status(&w).await.state;
    assert_eq!((halfway.phase, halfway.pages, halfway.failures), (SyncPhase::Full, 2, 1));
    assert_eq!(halfway.error.as_deref(), Some("The provider does not answer."));
    let replica = w.replica();
    w.clock.pass_seconds(60);
    while replica.jobs.run_due_jobs(10).await.unwrap() > 0 {}
    let done = status(&w).await.state;
    assert_eq!((done.phase, done.pages, done.items, done.failures), (SyncPhase::Idle, 3, 30, 0));
    assert_eq!(w.provider.count("list_changes"), 4, "no page was read twice");
}

#[tokio::test]
async fn a_cursor_that_is_too_old_means_from_the_beginning() {
    let w = world().await;
    tell(&w, [external_booking("f1", monday("10:00")), external_booking("f2", monday("11:00"))]);
    synced(&w).await;
    tell(&w, [external_booking("f3", monday("09:00"))]);
    // Only what came last is still told: the others are gone.
    w.provider.state().forgotten = 3;
    tell(&w, [external_booking("f2", monday("11:00"))]);
    let after = synced(&w).await.state;
    assert_eq!((after.phase, after.items), (SyncPhase::Idle, 1));
    let now = offered(&w).await;
    assert!(now.contains(&monday("10:00")), "what a full synchronisation did not see takes nobody's time");
    assert!(!now.contains(&monday("11:00")));
}

#[tokio::test]
async fn news_of_our_own_bookings_are_followed_as_the_rules_say() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    let moved = w.provider.edit("x1", |t| t.when = half_hour(monday("10:00")));
    tell(&w, [moved]);
    synced(&w).await;
    assert_eq!(w.booking(booking.id).await.when.start(), monday("10:00"));

    // Ours counts: the provider is brought back.
    rules(
        &w,
        SyncRules { mode: SyncMode::Export, source_of_truth: SourceOfTruth::Berth, ..SyncRules::default() },
    )
    .await;
    let moved = w.provider.edit("x1", |t| t.when = half_hour(monday("11:00")));
    tell(&w, [moved]);
    synced(&w).await;
    assert_eq!(w.booking(booking.id).await.when.start(), monday("10:00"));
    w.agrees(booking.id).await;
    assert!(conflicts(&w).await.is_empty());
    let all = w.engine.mirror.list_conflicts(&w.caller, w.connection.id, None, true, 9).await.unwrap();
    assert_eq!((all[0].kind, all[0].resolution), (ConflictKind::BothChanged, Some(Resolution::Ours)));
}

#[tokio::test]
async fn two_bookings_for_one_time_wait_for_a_person() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    tell(&w, [external_booking("f1", monday("10:00"))]);
    assert_eq!(synced(&w).await.open_conflicts, 1);
    let open = conflicts(&w).await.remove(0);
    assert_eq!(
        (open.kind, open.booking, open.external_id.as_deref()),
        (ConflictKind::TimeOverlap, Some(booking.id), Some("f1"))
    );
    assert!(open.ours["when"].is_object() && open.theirs["title"] == "Theirs", "{open:?}");
    synced(&w).await;
    assert_eq!(conflicts(&w).await.len(), 1, "the same is found once");

    let other = w.engine.mirror.revert_conflict(&w.caller, open.id).await.unwrap_err();
    assert_eq!(other.code, Code::WrongState);
    let ended = w.engine.mirror.resolve_conflict(&w.caller, open.id, Resolution::Theirs).await.unwrap();
    assert_eq!(
        (ended.conflict.resolution, ended.conflict.resolved_by.as_deref(), ended.done),
        (Some(Resolution::Theirs), Some("key:test"), Done::OursCancelled)
    );
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Cancelled);
    assert!(conflicts(&w).await.is_empty());
    let twice = w.engine.mirror.resolve_conflict(&w.caller, open.id, Resolution::Ours).await.unwrap_err();
    assert_eq!(twice.code, Code::WrongState);
}

#[tokio::test]
async fn each_booking_of_others_over_ours_is_a_conflict_of_its_own_until_it_goes() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    tell(&w, ["f1", "f2", "f3"].map(|id| external_booking(id, monday("10:00"))));
    synced(&w).await;
    let about = async || {
        let mut open = conflicts(&w).await;
        open.sort_by(|one, other| one.external_id.cmp(&other.external_id));
        open.into_iter().map(|conflict| conflict.external_id.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(about().await, ["f1", "f2", "f3"]);
    // One goes elsewhere, one is cancelled, and is gone: only what still stands there is for a person.
    tell(&w, [external_booking("f1", monday("13:00"))]);
    synced(&w).await;
    assert_eq!(about().await, ["f2", "f3"]);
    tell(
        &w,
        [ExternalBooking { status: ExternalStatus::Cancelled, ..external_booking("f3", monday("10:00")) }],
    );
    synced(&w).await;
    assert_eq!(about().await, ["f2"]);
    // Decided about the one that was meant.
    let open = conflicts(&w).await.remove(0);
    w.provider.state().bookings.push(external_booking("f2", monday("10:00")));
    let ended = w.engine.mirror.resolve_conflict(&w.caller, open.id, Resolution::Ours).await.unwrap();
    assert_eq!(ended.done, Done::TheirsCancelled);
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Confirmed);
    assert!(conflicts(&w).await.is_empty());
}

#[tokio::test]
async fn a_move_onto_a_taken_time_is_ended_either_way_and_back() {
    let w = world().await;
    let (first, second) = (w.booked(monday("09:00")).await, w.booked(monday("10:00")).await);
    let moved = w.provider.edit("x1", |t| t.when = half_hour(monday("10:00")));
    tell(&w, [moved]);
    synced(&w).await;
    let open = conflicts(&w).await.remove(0);
    assert_eq!((open.kind, open.booking), (ConflictKind::TimeOverlap, Some(first.id)));
    let taken = w.engine.mirror.resolve_conflict(&w.caller, open.id, Resolution::Theirs).await.unwrap_err();
    assert_eq!(taken.code, Code::SlotTaken, "{taken}");

    w.engine.mirror.resolve_conflict(&w.caller, open.id, Resolution::Ours).await.unwrap();
    w.agrees(first.id).await;
    assert_eq!(w.booking(first.id).await.when.start(), monday("09:00"));
    // Once the other one is gone, theirs may be chosen after all.
    w.cancel(second.id).await.unwrap();
    let reverted = w.engine.mirror.revert_conflict(&w.caller, open.id).await.unwrap();
    assert_eq!((reverted.conflict.resolution, reverted.done), (Some(Resolution::Theirs), Done::Moved));
    assert_eq!(w.booking(first.id).await.when.start(), monday("10:00"));
    w.agrees(first.id).await;
    w.engine.mirror.revert_conflict(&w.caller, open.id).await.unwrap();
    assert_eq!(w.booking(first.id).await.when.start(), monday("09:00"));
    w.agrees(first.id).await;
}

#[tokio::test]
async fn what_vanished_there_is_over_here_or_made_anew() {
    let w = world().await;
    let (first, second) = (w.booked(monday("09:00")).await, w.booked(monday("10:00")).await);
    let bookings = w.provider.active();
    tell(&w, bookings);
    synced(&w).await;
    let vanish = |id: &str| w.provider.state().bookings.retain(|t| t.id != id);

    vanish("x1");
    w.provider.state().changes = Some(vec![w.provider.active().remove(0)]);
    w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
    while w.later(0).await > 0 {}
    assert_eq!(w.booking(first.id).await.status, BookingStatus::Cancelled, "the provider's word counts");

    rules(&w, SyncRules { source_of_truth: SourceOfTruth::Berth, ..SyncRules::default() }).await;
    vanish("x2");
    w.provider.state().changes = Some(Vec::new());
    w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
    while w.later(0).await > 0 {}
    let again = w.booking(second.id).await;
    assert_eq!((again.status, again.external_id.as_deref()), (BookingStatus::Confirmed, Some("x3")));
    w.agrees(second.id).await;
}

#[tokio::test]
async fn unknown_services_are_for_a_person_and_a_reference_that_nobody_knows_is_a_strangers() {
    let w = world().await;
    rules(&w, SyncRules { source_of_truth: SourceOfTruth::Berth, ..SyncRules::default() }).await;
    let unknown =
        ExternalBooking { event_type: Some("et-9".to_owned()), ..external_booking("f1", monday("10:00")) };
    let lost = ExternalBooking {
        reference: Some(w.connection.id.to_string()),
        ..external_booking("f2", monday("11:00"))
    };
    w.provider.state().bookings.push(lost.clone());
    tell(&w, [unknown, lost]);
    synced(&w).await;
    let kinds: Vec<ConflictKind> = conflicts(&w).await.iter().map(|c| c.kind).collect();
    assert_eq!(kinds, [ConflictKind::UnknownService]);
    assert_eq!(w.provider.active().len(), 1, "a reference is no proof: it is not ours to cancel");
    assert!(!offered(&w).await.contains(&monday("11:00")), "and takes its time");
}

#[tokio::test]
async fn a_provider_that_does_not_say_what_changed_is_left_alone() {
    let w = world().await;
    let state = synced(&w).await.state;
    assert_eq!((state.phase, state.due_at), (SyncPhase::Idle, None));
    assert!(state.error.unwrap().contains("does not say"));
    assert_eq!(w.provider.count("list_changes"), 1);
}

#[tokio::test]
async fn what_is_given_up_can_be_tried_again() {
    let w = world().await;
    tell(&w, []);
    for _ in 0..30 {
        w.provider
            .next("list_changes", Fault::Before(CallError::Provider(ProviderError::Forbidden("no".into()))));
    }
    w.engine.mirror.start_sync(&w.caller, w.connection.id, false).await.unwrap();
    while w.later(1_000).await > 0 {}
    let dead = w.engine.mirror.dead_jobs(&w.caller).await.unwrap();
    assert_eq!((dead.len(), dead[0].kind.as_str()), (1, "sync_connection"));
    w.provider.state().clear_faults();
    w.engine.mirror.requeue_job(&w.caller, dead[0].id).await.unwrap();
    while w.later(0).await > 0 {}
    assert!(w.engine.mirror.dead_jobs(&w.caller).await.unwrap().is_empty());
    assert_eq!(status(&w).await.state.failures, 0);
}

#[tokio::test]
async fn both_sides_are_compared_for_a_period() {
    let w = world().await;
    let (same, moved, lost) =
        (w.booked(monday("09:00")).await, w.booked(monday("10:00")).await, w.booked(monday("11:00")).await);
    rules(&w, SyncRules { auto_resolve: false, ..SyncRules::default() }).await;
    let bookings = w.provider.active();
    tell(&w, bookings.clone());
    synced(&w).await;
    let unseen =
        w.engine.store().mirrored(w.tenant.id, w.connection.id, &bookings[2].id).await.unwrap().unwrap();
    w.engine.store().forget_mirrored(unseen).await.unwrap();
    // Changed there, and nothing was heard of it.
    let elsewhere = ExternalBooking { when: half_hour(monday("11:30")), ..bookings[1].clone() };
    let mirrored =
        w.engine.store().mirrored(w.tenant.id, w.connection.id, &elsewhere.id).await.unwrap().unwrap();
    let stale = berth_model::mirror::sync::Mirrored { external: elsewhere, ..mirrored };
    w.engine.store().put_mirrored(stale).await.unwrap();
    let within = Interval::new(monday("00:00"), monday("23:00")).unwrap();
    let found = w.engine.mirror.reconcile(&w.caller, w.connection.id, within).await.unwrap();
    assert_eq!((found.ours, found.theirs), (3, 2));
    let kinds: Vec<_> = found.differences.iter().map(|d| (d.kind, d.booking)).collect();
    assert_eq!(kinds, [("time", Some(moved.id)), ("missing_there", Some(lost.id))]);
    assert!(found.differences.iter().all(|d| d.booking != Some(same.id)));
}

#[tokio::test]
async fn what_is_only_there_is_found_what_was_called_off_is_not_counted_and_money_is_added_up() {
    let w = world().await;
    let price = |minor_units, currency: &str| Some(Money { minor_units, currency: currency.into() });
    let policy = EventTypePolicy { price: price(4_900, "EUR"), ..w.event_type.policy.clone() };
    let patch = berth_engine::EventTypePatch { policy: Some(policy), ..Default::default() };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let item = |id: &str, price: Option<Money>| MirroredItem {
        external_id: id.to_owned(),
        title: id.to_owned(),
        payload: json!({ "price": price }),
        last_synced_at: monday("08:00"),
    };
    let items = vec![item("et-1", price(4_900, "EUR")), item("et-2", price(70, "GBP")), item("et-3", None)];
    let store = w.engine.store();
    store.put_mirrored_items(w.tenant.id, w.connection.id, ItemKind::EventType, items, 0).await.unwrap();

    let (_, off) = (w.booked(monday("09:00")).await, w.booked(monday("09:30")).await);
    let moved = w.booked(monday("10:00")).await;
    w.cancel(off.id).await.unwrap();
    rules(&w, SyncRules { auto_resolve: false, ..SyncRules::default() }).await;
    let theirs =
        ExternalBooking { event_type: Some("et-2".into()), ..external_booking("walk-in", monday("11:00")) };
    let cancelled =
        ExternalBooking { status: ExternalStatus::Cancelled, ..external_booking("off", monday("11:30")) };
    // One that a move at the provider left behind.
    let replaced = ExternalBooking {
        rescheduled_to: Some("walk-in".into()),
        ..external_booking("before", monday("12:00"))
    };
    let bookings: Vec<_> = w.provider.state().bookings.clone();
    tell(&w, bookings.into_iter().chain([theirs, cancelled, replaced]));
    synced(&w).await;
    // Moved there to where the period has ended, and nothing was heard of it.
    let id = w.booking(moved.id).await.external_id.unwrap();
    let mirrored = store.mirrored(w.tenant.id, w.connection.id, &id).await.unwrap().unwrap();
    let when = half_hour(monday("10:00").plus_seconds(7 * DAY));
    let external = ExternalBooking { when, ..mirrored.external.clone() };
    store
        .put_mirrored(berth_model::mirror::sync::Mirrored { external, padded: when, ..mirrored })
        .await
        .unwrap();

    let within = Interval::new(monday("00:00"), monday("23:00")).unwrap();
    let found = w.engine.mirror.reconcile(&w.caller, w.connection.id, within).await.unwrap();
    let kinds: Vec<_> = found.differences.iter().map(|d| (d.kind, d.external_id.as_deref())).collect();
    assert_eq!(kinds, [("time", Some(id.as_str())), ("missing_here", Some("walk-in"))]);
    assert_eq!((found.ours, found.theirs), (2, 2), "{found:?}");
    let totals: Vec<_> = found.totals.iter().map(|t| (t.currency.as_str(), t.ours, t.theirs)).collect();
    assert_eq!(totals, [("EUR", 9_800, 4_900), ("GBP", 0, 70)]);
    // The week in which it is now there.
    let later = Interval::new(monday("00:00").plus_seconds(7 * DAY), monday("23:00").plus_seconds(7 * DAY));
    let found = w.engine.mirror.reconcile(&w.caller, w.connection.id, later.unwrap()).await.unwrap();
    let kinds: Vec<_> = found.differences.iter().map(|d| (d.kind, d.booking)).collect();
    assert_eq!(kinds, [("time", Some(moved.id))], "not missing here");
}
