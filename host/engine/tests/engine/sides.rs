//! Whose a booking at a provider is: across moves that give it another id, with two connections to one account, and with copies of ours.

use berth_engine::{Caller, NewEventType, NewListing, NewTenant};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    catalog::event_type::EventTypePolicy,
    connections::connection::ConnectionRecord,
    mirror::sync::{Conflict, SourceOfTruth, SyncMode, SyncRules},
    outbound::provider::{ExternalBooking, ExternalStatus, WebhookEvent},
};

use crate::world::{World, half_hour, member, monday, new_connection, world};

const SOURCES: [SourceOfTruth; 2] = [SourceOfTruth::Provider, SourceOfTruth::Berth];

/// Read everything over this connection, and work until nothing is left to do.
async fn read(w: &World, caller: &Caller, connection: &ConnectionRecord) {
    let bookings = w.provider.state().bookings.clone();
    w.provider.state().changes = Some(bookings);
    w.engine.mirror.start_sync(caller, connection.id, true).await.unwrap();
    while w.later(1).await > 0 {}
}

async fn rules(w: &World, caller: &Caller, connection: &ConnectionRecord, source: SourceOfTruth) {
    let rules = SyncRules { source_of_truth: source, ..SyncRules::default() };
    w.engine.mirror.set_sync_rules(caller, connection.id, rules).await.unwrap();
}

async fn conflicts(w: &World, caller: &Caller, connection: &ConnectionRecord) -> Vec<Conflict> {
    w.engine.mirror.list_conflicts(caller, connection.id, None, true, 50).await.unwrap()
}

async fn told(w: &World, event: WebhookEvent) {
    static TOLD: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let body = format!("sides {}", TOLD.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    crate::webhooks::send(w, &body, event).await;
    while w.later(1).await > 0 {}
}

/// The one counterpart that takes place.
fn only(w: &World) -> ExternalBooking {
    let mut active = w.provider.active();
    assert_eq!(active.len(), 1, "{active:?}");
    active.remove(0)
}

async fn stands_once(w: &World, booking: &Booking) {
    let now = w.booking(booking.id).await;
    assert_eq!(now.status, BookingStatus::Confirmed, "{now:?}");
    let ours: Vec<_> = w.provider.active();
    let ours: Vec<_> =
        ours.iter().filter(|t| t.reference.as_deref() == Some(&booking.id.to_string())).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
}

#[tokio::test]
async fn two_connections_to_one_account_leave_each_others_bookings_alone() {
    for source in SOURCES {
        let w = world().await;
        let second = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
        for connection in [&w.connection, &second] {
            rules(&w, &w.caller, connection, source).await;
        }
        let booking = w.booked(monday("09:00")).await;
        for connection in [&second, &w.connection, &second] {
            read(&w, &w.caller, connection).await;
            stands_once(&w, &booking).await;
            assert!(conflicts(&w, &w.caller, connection).await.is_empty(), "{source:?}");
        }
        // It is known to be ours, takes no second time and is not missing here.
        let counterpart = only(&w);
        let seen = w.engine.store().mirrored(w.tenant.id, second.id, &counterpart.id).await.unwrap().unwrap();
        assert_eq!((seen.booking, seen.member), (Some(booking.id), None));
        // Moved there: the connection that carries it follows, whichever hears of it first.
        let moved = w.provider.move_booking(&counterpart.id, half_hour(monday("10:00")));
        read(&w, &w.caller, &second).await;
        assert_eq!(w.booking(booking.id).await.when.start(), monday("09:00"));
        read(&w, &w.caller, &w.connection).await;
        assert_eq!(w.booking(booking.id).await.when.start(), monday("10:00"));
        assert_eq!(w.booking(booking.id).await.external_id, Some(moved.id));
        assert!(conflicts(&w, &w.caller, &second).await.is_empty(), "{source:?}");
        w.agrees(booking.id).await;
    }
}

#[tokio::test]
async fn two_tenants_with_one_account_leave_each_others_bookings_alone() {
    for source in SOURCES {
        let w = world().await;
        let tenant = NewTenant { slug: "dock".into(), name: "Dock".into() };
        let tenant = w.engine.tenants.create_tenant("operator", "req", tenant).await.unwrap();
        let caller = Caller { tenant: tenant.id, ..w.caller.clone() };
        let second = w.engine.connections.create_connection(&caller, new_connection()).await.unwrap();
        let bo = member(&w.engine, &caller, "Bo").await;
        let listing = NewListing {
            slug: "pier-2".into(),
            title: "Pier 2".into(),
            description: String::new(),
            time_zone: "Europe/Warsaw".parse().unwrap(),
            currency: None,
            booking_provider: Some(second.id),
            offer_when_degraded: false,
        };
        let listing = w.engine.catalog.create_listing(&caller, listing).await.unwrap();
        let event_type = NewEventType {
            listing: listing.id,
            slug: "haircut".into(),
            title: "Haircut".into(),
            description: String::new(),
            length_minutes: 30,
            slot_interval_minutes: None,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            minimum_notice_minutes: 0,
            booking_window_days: 30,
            members: vec![bo.id],
            policy: EventTypePolicy::default(),
            external_id: Some("et-1".into()),
            external: None,
        };
        let event_type = w.engine.catalog.create_event_type(&caller, event_type).await.unwrap();
        rules(&w, &w.caller, &w.connection, source).await;
        rules(&w, &caller, &second, source).await;

        let ours = w.booked(monday("09:00")).await;
        let request = berth_engine::BookRequest { event_type: event_type.id, ..w.request(monday("10:00")) };
        let theirs = w.engine.bookings.book(&caller, request).await.unwrap().booking;
        for _ in 0..2 {
            read(&w, &w.caller, &w.connection).await;
            read(&w, &caller, &second).await;
        }
        assert_eq!(w.provider.active().len(), 2, "{source:?}: nothing is cancelled by either");
        stands_once(&w, &ours).await;
        assert_eq!(
            w.engine.bookings.booking(&caller, theirs.id).await.unwrap().status,
            BookingStatus::Confirmed
        );
        for (caller, connection) in [(&w.caller, &w.connection), (&caller, &second)] {
            assert!(conflicts(&w, caller, connection).await.is_empty(), "{source:?}");
        }
        // To each the other's is a stranger's, and takes its time.
        let counterpart = theirs.external_id.unwrap();
        let seen =
            w.engine.store().mirrored(w.tenant.id, w.connection.id, &counterpart).await.unwrap().unwrap();
        assert_eq!((seen.booking, seen.member), (None, Some(w.ana.id)));
        assert!(w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.is_err());
    }
}

#[tokio::test]
async fn a_chain_of_moves_is_one_booking_whoever_saw_which_part_of_it() {
    for carries_reference in [true, false] {
        let w = world().await;
        let booking = w.booked(monday("09:00")).await;
        if !carries_reference {
            w.provider.edit("x1", |t| t.reference = None);
        }
        let second = w.provider.move_booking("x1", half_hour(monday("10:00")));
        let third = w.provider.move_booking(&second.id, half_hour(monday("11:00")));
        // Only the last one is told, and it names one that was never heard of.
        told(&w, WebhookEvent::Updated(third.clone())).await;
        let now = w.booking(booking.id).await;
        assert_eq!((now.status, now.when.start()), (BookingStatus::Confirmed, monday("11:00")));
        assert_eq!(now.external_id.as_deref(), Some(third.id.as_str()));
        // The first ones, late, and as what they were then.
        let late = w.provider.state().bookings[0].clone();
        told(&w, WebhookEvent::Cancelled(late)).await;
        told(&w, WebhookEvent::Updated(second.clone())).await;
        let now = w.booking(booking.id).await;
        assert_eq!((now.status, now.when.start()), (BookingStatus::Confirmed, monday("11:00")));
        assert!(conflicts(&w, &w.caller, &w.connection).await.is_empty());
    }
}

#[tokio::test]
async fn a_move_that_is_a_cancellation_and_a_new_booking_is_a_move() {
    // Whichever half is heard of first, and whether by a message or when everything is read.
    for order in 0..3 {
        let w = world().await;
        let booking = w.booked(monday("09:00")).await;
        let moved = w.provider.move_booking("x1", half_hour(monday("10:00")));
        let moved = w.provider.edit(&moved.id, |t| t.rescheduled_from = None);
        let old = w.provider.edit("x1", |t| t.rescheduled_to = None);
        match order {
            0 => {
                told(&w, WebhookEvent::Cancelled(old)).await;
                told(&w, WebhookEvent::Created(moved.clone())).await;
            }
            1 => {
                told(&w, WebhookEvent::Created(moved.clone())).await;
                told(&w, WebhookEvent::Cancelled(old)).await;
            }
            _ => {
                w.provider.state().bookings.retain(|t| t.id != "x1");
                let kept = w.provider.state().bookings.clone();
                w.provider.state().bookings.clear();
                w.provider.state().changes = Some(Vec::new());
                w.provider.state().bookings = kept;
                w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
                while w.later(1).await > 0 {}
            }
        }
        let now = w.booking(booking.id).await;
        assert_eq!((now.status, now.when.start()), (BookingStatus::Confirmed, monday("10:00")), "{order}");
        assert_eq!(now.external_id, Some(moved.id), "{order}");
        w.agrees(booking.id).await;
    }
}

#[tokio::test]
async fn a_copy_of_ours_is_a_strangers_and_takes_its_time() {
    for source in SOURCES {
        let w = world().await;
        rules(&w, &w.caller, &w.connection, source).await;
        let booking = w.booked(monday("09:00")).await;
        let copy = ExternalBooking {
            id: "copy".to_owned(),
            when: half_hour(monday("11:00")),
            ..w.provider.active().remove(0)
        };
        w.provider.state().bookings.push(copy.clone());
        told(&w, WebhookEvent::Created(copy)).await;
        read(&w, &w.caller, &w.connection).await;
        assert_eq!(w.booking(booking.id).await.when.start(), monday("09:00"));
        assert_eq!(w.provider.active().len(), 2, "{source:?}: a person's copy is not ours to cancel");
        assert!(w.engine.bookings.book(&w.caller, w.request(monday("11:00"))).await.is_err(), "{source:?}");
        assert!(conflicts(&w, &w.caller, &w.connection).await.is_empty(), "{source:?}");
        // Nor does it go with ours.
        w.cancel(booking.id).await.unwrap();
        read(&w, &w.caller, &w.connection).await;
        assert_eq!(w.provider.active().len(), 1, "{source:?}: the copy is its maker's");
    }
}

#[tokio::test]
async fn moves_that_come_back_to_where_they_were_lead_nowhere() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    // A stranger's chain that is a circle.
    let around = |id: &str, from: &str, start| ExternalBooking {
        id: id.to_owned(),
        reference: None,
        rescheduled_from: Some(from.to_owned()),
        rescheduled_to: None,
        when: half_hour(monday(start)),
        ..w.provider.active().remove(0)
    };
    let (a, b) = (around("a", "b", "10:00"), around("b", "a", "11:00"));
    w.provider.state().bookings.extend([a.clone(), b.clone()]);
    told(&w, WebhookEvent::Updated(a)).await;
    told(&w, WebhookEvent::Updated(b)).await;
    // One of ours that is moved in a circle: nothing is known of where it is, and nothing is over.
    w.provider.edit("x1", |t| {
        t.status = ExternalStatus::Cancelled;
        t.rescheduled_to = Some("a".to_owned());
    });
    w.provider.edit("a", |t| t.rescheduled_to = Some("x1".to_owned()));
    let news = w.provider.edit("x1", |_| {});
    told(&w, WebhookEvent::Updated(news)).await;
    assert!(w.reschedule(booking.id, monday("11:30")).await.is_err());
    let now = w.booking(booking.id).await;
    assert_eq!((now.status, now.when.start()), (BookingStatus::Confirmed, monday("09:00")));
    assert_eq!(w.open_jobs().await, 0);
}

#[tokio::test]
async fn what_was_made_over_a_connection_that_reads_nothing_is_known_when_it_reads_again() {
    let w = world().await;
    let off = SyncRules { mode: SyncMode::Off, ..SyncRules::default() };
    w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, off).await.unwrap();
    let booking = w.booked(monday("09:00")).await;
    w.provider.move_booking("x1", half_hour(monday("10:00")));
    w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, SyncRules::default()).await.unwrap();
    read(&w, &w.caller, &w.connection).await;
    let now = w.booking(booking.id).await;
    assert_eq!((now.status, now.when.start()), (BookingStatus::Confirmed, monday("10:00")));
    w.agrees(booking.id).await;
}
