//! The table of the four modes, cell by cell, over a provider whose ids stay and one whose ids change when a booking is moved.

use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    mirror::sync::{ConflictKind, Resolution, SourceOfTruth, SyncMode, SyncRules},
    outbound::provider::{ExternalBooking, ExternalStatus, WebhookEvent},
    problem::Code,
    time::Instant,
};

use crate::world::{World, half_hour, monday, world};

async fn rules(w: &World, mode: SyncMode) {
    let rules = SyncRules { mode, ..SyncRules::default() };
    w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, rules).await.unwrap();
    at_rest(w).await;
}

async fn at_rest(w: &World) {
    for _ in 0..40 {
        if w.later(5).await == 0 {
            return;
        }
    }
    panic!("it never comes to rest");
}

async fn told(w: &World, event: WebhookEvent) {
    static TOLD: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let body = format!("modes {}", TOLD.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    crate::webhooks::send(w, &body, event).await;
    at_rest(w).await;
}

/// Somebody moves it at the provider.
async fn moved_there(w: &World, id: &str, start: Instant, same_id: bool) {
    if same_id {
        let moved = w.provider.edit(id, |t| t.when = half_hour(start));
        told(w, WebhookEvent::Updated(moved)).await;
    } else {
        let moved = w.provider.move_booking(id, half_hour(start));
        told(w, WebhookEvent::Rescheduled { old_id: id.to_owned(), booking: moved }).await;
    }
}

async fn cancelled_there(w: &World, id: &str) {
    let gone = w.provider.edit(id, |t| t.status = ExternalStatus::Cancelled);
    told(w, WebhookEvent::Cancelled(gone)).await;
}

/// Where it is here, and where its counterparts are.
async fn both(w: &World, booking: &Booking) -> (Option<Instant>, Vec<Instant>) {
    let now = w.booking(booking.id).await;
    assert_eq!(now.provider_task, None);
    let here = (now.status == BookingStatus::Confirmed).then_some(now.when.start());
    (here, w.provider.active().iter().map(|t| t.when.start()).collect())
}

async fn is_taken(w: &World, start: &str) -> bool {
    w.engine.bookings.book(&w.caller, w.request(monday(start))).await.is_err()
}

#[tokio::test]
async fn bookings_of_ours_are_changed_as_the_table_says() {
    use SyncMode::{Bidirectional, Export, Import, Off};
    let (nine, ten) = (monday("09:00"), monday("10:00"));
    let mut cells = 0;
    for same_id in [true, false] {
        for mode in SyncMode::ALL {
            let case = format!("{mode:?}, same id: {same_id}");
            let begun = async || {
                let w = world().await;
                rules(&w, mode).await;
                let booking = w.booked(nine).await;
                assert_eq!(both(&w, &booking).await, (Some(nine), vec![nine]), "made there: {case}");
                (w, booking)
            };
            // Moved and cancelled here.
            let (w, booking) = Box::pin(begun()).await;
            let moved = w.reschedule(booking.id, ten).await;
            if mode == Import {
                assert_eq!(moved.unwrap_err().code, Code::ChangedThere, "{case}");
                assert_eq!(both(&w, &booking).await, (Some(nine), vec![nine]), "{case}");
                assert_eq!(w.cancel(booking.id).await.unwrap_err().code, Code::ChangedThere, "{case}");
                assert_eq!(both(&w, &booking).await, (Some(nine), vec![nine]), "{case}");
            } else {
                moved.unwrap();
                assert_eq!(both(&w, &booking).await, (Some(ten), vec![ten]), "{case}");
                w.cancel(booking.id).await.unwrap();
                assert_eq!(both(&w, &booking).await, (None, vec![]), "{case}");
            }
            // Moved there.
            let (w, booking) = Box::pin(begun()).await;
            moved_there(&w, "x1", ten, same_id).await;
            let expected = match mode {
                Off => (Some(nine), vec![ten]),
                Export => (Some(nine), vec![nine]),
                Import | Bidirectional => (Some(ten), vec![ten]),
            };
            assert_eq!(both(&w, &booking).await, expected, "{case}");
            // Cancelled there.
            let (w, booking) = Box::pin(begun()).await;
            cancelled_there(&w, "x1").await;
            let expected = match mode {
                Off => (Some(nine), vec![]),
                Export => (Some(nine), vec![nine]),
                Import | Bidirectional => (None, vec![]),
            };
            assert_eq!(both(&w, &booking).await, expected, "{case}");
            cells += 5;
        }
    }
    println!("cells of the table tried in memory, of our bookings: {cells}");
}

#[tokio::test]
async fn bookings_of_others_take_their_time_as_the_table_says() {
    let mut cells = 0;
    for same_id in [true, false] {
        for mode in SyncMode::ALL {
            for last in ["made", "moved", "cancelled"] {
                let w = world().await;
                rules(&w, mode).await;
                let theirs = ExternalBooking {
                    id: "f1".to_owned(),
                    reference: None,
                    status: ExternalStatus::Confirmed,
                    when: half_hour(monday("09:00")),
                    event_type: Some("et-1".to_owned()),
                    title: None,
                    attendees: vec![crate::world::attendee()],
                    location: None,
                    cancellation_reason: None,
                    rescheduled_from: None,
                    rescheduled_to: None,
                    updated_at: None,
                    raw: serde_json::Value::Null,
                };
                w.provider.state().bookings.push(theirs.clone());
                told(&w, WebhookEvent::Created(theirs)).await;
                let follows = mode.follows_changes();
                let (taken, free) = match last {
                    "made" => (Some("09:00"), "11:00"),
                    "moved" => {
                        moved_there(&w, "f1", monday("10:00"), same_id).await;
                        (Some("10:00"), "09:00")
                    }
                    _ => {
                        cancelled_there(&w, "f1").await;
                        (None, "09:00")
                    }
                };
                let case = format!("{mode:?}, {last}, same id: {same_id}");
                if let Some(start) = taken {
                    assert_eq!(is_taken(&w, start).await, follows, "{case}");
                }
                assert!(!is_taken(&w, free).await, "{case}");
                cells += 1;
            }
        }
    }
    println!("cells of the table tried in memory, of others: {cells}");
}

#[tokio::test]
async fn another_mode_counts_for_what_is_there_already() {
    let w = world().await;
    let theirs = ExternalBooking {
        id: "f1".to_owned(),
        reference: None,
        ..{
            let booking = w.booked(monday("11:00")).await;
            w.provider
                .state()
                .bookings
                .iter()
                .find(|t| Some(&t.id) == booking.external_id.as_ref())
                .unwrap()
                .clone()
        }
    };
    let theirs = ExternalBooking { when: half_hour(monday("09:00")), ..theirs };
    w.provider.state().bookings.push(theirs);
    let bookings = w.provider.state().bookings.clone();
    w.provider.state().changes = Some(bookings);
    w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
    at_rest(&w).await;
    for mode in [SyncMode::Off, SyncMode::Bidirectional, SyncMode::Export, SyncMode::Import, SyncMode::Off] {
        rules(&w, mode).await;
        w.engine.mirror.begin_syncs().await.unwrap();
        at_rest(&w).await;
        let taken = w.engine.store().mirrored(w.tenant.id, w.connection.id, "f1").await.unwrap().unwrap();
        assert_eq!(taken.member.is_some(), mode.follows_changes(), "{mode:?}");
    }
}

/// Read everything there is.
async fn read_all(w: &World) {
    let bookings = w.provider.state().bookings.clone();
    w.provider.state().changes = Some(bookings);
    w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
    at_rest(w).await;
}

#[tokio::test]
async fn what_begins_to_take_time_is_told_where_it_is_in_the_way() {
    let w = world().await;
    rules(&w, SyncMode::Export).await;
    w.booked(monday("09:00")).await;
    let ours = w.provider.active().remove(0);
    w.provider.state().bookings.push(ExternalBooking { id: "f1".to_owned(), reference: None, ..ours });
    read_all(&w).await;
    let open =
        async || w.engine.mirror.list_conflicts(&w.caller, w.connection.id, None, false, 9).await.unwrap();
    assert_eq!(open().await, [], "it takes nobody's time yet");
    rules(&w, SyncMode::Bidirectional).await;
    read_all(&w).await;
    let found = open().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind, found[0].external_id.as_deref()), (ConflictKind::TimeOverlap, Some("f1")));
}

/// As after a message that came while a change of our own was under way, or whose worker died: it is known, and nobody has acted on it.
#[tokio::test]
async fn what_is_known_and_was_not_acted_on_is_acted_on_with_the_next_reading() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    read_all(&w).await;
    let id = booking.external_id.as_deref().unwrap();
    let gone = w.provider.edit(id, |t| t.status = ExternalStatus::Cancelled);
    let kept = w.engine.store().mirrored(w.tenant.id, w.connection.id, id).await.unwrap().unwrap();
    w.engine
        .store()
        .put_mirrored(berth_model::mirror::sync::Mirrored { external: gone, ..kept })
        .await
        .unwrap();
    read_all(&w).await;
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Cancelled);
}

#[tokio::test]
async fn where_only_ours_counts_a_change_there_waits_for_a_person_if_nothing_ends_by_itself() {
    for same_id in [true, false] {
        for cancelled in [true, false] {
            for end in [Resolution::Ours, Resolution::Theirs] {
                let w = world().await;
                let rules = SyncRules {
                    mode: SyncMode::Export,
                    source_of_truth: SourceOfTruth::Provider,
                    auto_resolve: false,
                    ..SyncRules::default()
                };
                w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, rules).await.unwrap();
                let booking = w.booked(monday("09:00")).await;
                if cancelled {
                    cancelled_there(&w, "x1").await;
                } else {
                    moved_there(&w, "x1", monday("10:00"), same_id).await;
                }
                let open =
                    w.engine.mirror.list_conflicts(&w.caller, w.connection.id, None, false, 9).await.unwrap();
                let kind = if cancelled { ConflictKind::VanishedThere } else { ConflictKind::BothChanged };
                assert_eq!((open.len(), open[0].kind, open[0].own_counterpart), (1, kind, true));
                w.engine.mirror.resolve_conflict(&w.caller, open[0].id, end).await.unwrap();
                at_rest(&w).await;
                let (nine, ten) = (monday("09:00"), monday("10:00"));
                let expected = match (end, cancelled) {
                    (Resolution::Ours, _) => (Some(nine), vec![nine]),
                    (_, true) => (None, vec![]),
                    (_, false) => (Some(ten), vec![ten]),
                };
                assert_eq!(both(&w, &booking).await, expected, "{end:?}, same id: {same_id}");
            }
        }
    }
}
