//! What is written on a booking, and whom it is given to, where its provider can be told of it.

use berth_engine::{
    BookOutcome, BookRequest, EditBooking, EventTypePatch, NewCalendar, Outcome, ReassignBooking,
};
use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        edit::Contents,
    },
    id::MemberId,
    outbound::provider::{BookingPart, CallError, ExternalFieldProblem, ProviderError, QuerySpans},
    problem::Code,
};

use crate::{
    provider::{Fault, LOST},
    world::{World, member, monday, world},
};

/// A provider that takes changes, a booking with Ana, and Bob, who is known there.
async fn told() -> (World, Booking, MemberId) {
    let w = world().await;
    {
        let mut state = w.provider.state();
        state.capabilities.booking_edits = true;
        state.capabilities.availability = true;
        state.spans = Some(QuerySpans { free_slots_days: 0, busy_days: 30 });
    }
    let bob = member(&w.engine, &w.caller, "Bob").await.id;
    let patch = EventTypePatch { members: Some(vec![w.ana.id, bob]), ..EventTypePatch::default() };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let request = BookRequest { member: Some(w.ana.id), ..w.request(monday("10:00")) };
    let booking = w.engine.bookings.book(&w.caller, request).await.unwrap().booking;
    (w, booking, bob)
}

async fn known_there(w: &World, member: MemberId, id: &str) {
    let (connection, calendar) = (w.connection.id, id.to_owned());
    let new = NewCalendar { member, connection, calendar, reads: true, writes: false };
    w.engine.calendars.create_calendar(&w.caller, new).await.unwrap();
}

async fn edit(w: &World, booking: &Booking, change: impl Fn(&mut Contents)) -> Outcome<BookOutcome> {
    let mut contents = Contents::of(&w.booking(booking.id).await);
    change(&mut contents);
    let edit = EditBooking { contents, local_only: false, seats_taken: None, expected_sequence: None };
    w.engine.bookings.edit(&w.caller, booking.id, edit).await
}

async fn noted(w: &World, booking: &Booking, notes: &str) -> Outcome<BookOutcome> {
    edit(w, booking, |contents| contents.notes = Some(notes.to_owned())).await
}

async fn give(w: &World, booking: &Booking, member: Option<MemberId>) -> Outcome<BookOutcome> {
    let to = ReassignBooking { member, local_only: false, expected_sequence: None };
    w.engine.bookings.reassign(&w.caller, booking.id, to).await
}

fn no() -> CallError {
    let problem = ExternalFieldProblem { field: "notes".into(), message: "too long".into() };
    CallError::Provider(ProviderError::Invalid(vec![problem]))
}

/// What the provider was told last of the notes.
fn notes_there(w: &World) -> Option<String> {
    w.provider.state().updates.last().and_then(|update| update.notes.clone())
}

#[tokio::test]
async fn a_change_is_told_in_the_parts_that_differ() {
    let (w, booking, _) = Box::pin(told()).await;
    let done = edit(&w, &booking, |contents| {
        contents.attendee.phone = Some("+48600100200".into());
        contents.notes = Some("By the door".into());
        contents.metadata.insert("order".into(), "17".into());
    })
    .await
    .unwrap();
    assert!(!done.pending, "{done:?}");
    let now = &done.booking;
    assert!((now.provider_task, &now.undelivered, now.local_changes.len()) == (None, &None, 0), "{now:?}");
    let update = w.provider.state().updates.last().cloned().unwrap();
    assert_eq!(update.changed, [BookingPart::Attendee, BookingPart::Notes]);
    assert_eq!((update.reference, update.notes.as_deref()), (booking.id.to_string(), Some("By the door")));
    assert_eq!(update.attendee.phone.as_deref(), Some("+48600100200"));
    // Metadata alone is nobody's but ours.
    edit(&w, &booking, |contents| drop(contents.metadata.insert("order".into(), "18".into()))).await.unwrap();
    assert_eq!(w.provider.count("update"), 1);
    let steps = w.timeline(booking.id).await;
    assert!(
        steps.ends_with(&[
            "booking.edited".into(),
            "booking.update_delivered".into(),
            "booking.edited".into()
        ]),
        "{steps:?}"
    );
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn until_it_is_delivered_the_last_one_counts() {
    let (w, booking, _) = Box::pin(told()).await;
    w.provider.next("update", Fault::Before(LOST));
    let first = noted(&w, &booking, "First").await.unwrap();
    assert!(first.pending && first.booking.provider_task == Some(ProviderTask::Update), "{first:?}");
    // No move meanwhile, and none here alone.
    assert_eq!(w.reschedule(booking.id, monday("11:00")).await.unwrap_err().code, Code::WrongState);
    let contents = Contents { notes: None, ..Contents::of(&first.booking) };
    let here = EditBooking { contents, local_only: true, seats_taken: None, expected_sequence: None };
    assert_eq!(w.engine.bookings.edit(&w.caller, booking.id, here).await.unwrap_err().code, Code::WrongState);
    let guest = |contents: &mut Contents| contents.guests = vec!["bea@example.com".into()];
    assert!(edit(&w, &booking, guest).await.unwrap().pending);
    assert!(noted(&w, &booking, "Last").await.unwrap().pending);
    while w.later(600).await > 0 {}
    let updates = w.provider.state().updates.clone();
    assert_eq!(updates.len(), 1, "{updates:?}");
    assert_eq!((updates[0].notes.as_deref(), updates[0].guests.len()), (Some("Last"), 1));
    assert_eq!(updates[0].changed, [BookingPart::Guests, BookingPart::Notes]);
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_lost_answer_and_a_crash_write_the_same_again() {
    for fault in [Fault::After(LOST), Fault::DiesAfter, Fault::DiesBefore] {
        let (w, booking, _) = Box::pin(told()).await;
        w.provider.next("update", fault);
        let done = noted(&w, &booking, "By the door").await.unwrap();
        assert!(done.pending, "{done:?}");
        while w.later(600).await > 0 {}
        let updates = w.provider.state().updates.clone();
        assert!(updates.iter().all(|update| update.idempotency_key == updates[0].idempotency_key));
        assert_eq!((notes_there(&w).as_deref(), w.provider.active().len()), (Some("By the door"), 1));
        w.agrees(booking.id).await;
    }
}

#[tokio::test]
async fn a_change_in_the_middle_of_a_delivery_is_delivered_after_it() {
    let (w, booking, _) = Box::pin(told()).await;
    let (engine, caller, id) = (w.engine.clone(), w.caller.clone(), booking.id);
    let meanwhile = async move {
        let contents = Contents::of(&engine.bookings.booking(&caller, id).await.unwrap());
        let contents = Contents { notes: Some("Second".into()), ..contents };
        let edit = EditBooking { contents, local_only: false, seats_taken: None, expected_sequence: None };
        assert!(engine.bookings.edit(&caller, id, edit).await.unwrap().pending);
    };
    w.provider.next("update", Fault::Meanwhile(Box::new(move || Box::pin(meanwhile))));
    noted(&w, &booking, "First").await.unwrap();
    while w.later(600).await > 0 {}
    assert_eq!((w.provider.count("update"), notes_there(&w).as_deref()), (2, Some("Second")));
    assert_eq!(w.booking(id).await.notes.as_deref(), Some("Second"));
    w.agrees(id).await;
}

#[tokio::test]
async fn what_the_provider_refuses_is_as_it_was_and_says_why() {
    let (w, booking, _) = Box::pin(told()).await;
    w.provider.next("update", Fault::Before(no()));
    let refused = edit(&w, &booking, |contents| {
        contents.notes = Some("Too long".into());
        contents.attendee.name = "Bea Kos".into();
        contents.metadata.insert("order".into(), "17".into());
    });
    assert_eq!(refused.await.unwrap_err().code, Code::ProviderRefused);
    let now = w.booking(booking.id).await;
    assert_eq!((&now.notes, &now.attendee), (&None, &booking.attendee));
    assert_eq!(now.metadata.len(), 1, "nobody refused that");
    assert!(now.reason.as_deref().is_some_and(|why| why.contains("too long")), "{now:?}");
    assert!(w.timeline(booking.id).await.contains(&"booking.update_refused".to_owned()));
    w.agrees(booking.id).await;
    // The same where nobody waits for it any more, whatever came on top.
    w.provider.next("update", Fault::Before(LOST));
    w.provider.next("update", Fault::Before(no()));
    noted(&w, &booking, "First").await.unwrap();
    noted(&w, &booking, "Second").await.unwrap();
    while w.later(600).await > 0 {}
    assert_eq!(w.booking(booking.id).await.notes, None);
    w.agrees(booking.id).await;
    // And then it is written otherwise.
    assert!(!noted(&w, &booking, "Short").await.unwrap().pending);
    assert_eq!(w.booking(booking.id).await.notes.as_deref(), Some("Short"));
}

#[tokio::test]
async fn what_only_a_person_can_change_there_may_be_changed_here_alone() {
    let (w, booking, _) = Box::pin(told()).await;
    let url = "https://acme.example/x1".to_owned();
    w.provider.next(
        "update",
        Fault::Before(CallError::Provider(ProviderError::Unsupported { url: Some(url.clone()) })),
    );
    let refused = noted(&w, &booking, "By the door").await.unwrap_err();
    assert_eq!((refused.code, &refused.extra["url"]), (Code::ProviderUnsupported, &url.into()));
    assert!(refused.hint.as_deref().is_some_and(|hint| hint.contains("local_only")), "{refused:?}");
    let contents =
        Contents { notes: Some("By the door".into()), ..Contents::of(&w.booking(booking.id).await) };
    let here = EditBooking { contents, local_only: true, seats_taken: None, expected_sequence: None };
    let done = w.engine.bookings.edit(&w.caller, booking.id, here).await.unwrap();
    assert_eq!(done.booking.local_changes, ["notes"]);
    // What is told later differs no more.
    let told = noted(&w, &booking, "By the gate").await.unwrap();
    assert!(told.booking.local_changes.is_empty(), "{told:?}");
}

#[tokio::test]
async fn a_booking_is_given_to_whoever_is_known_there() {
    let (w, booking, bob) = Box::pin(told()).await;
    let unknown = give(&w, &booking, Some(bob)).await.unwrap_err();
    assert_eq!((unknown.code, &unknown.extra["member_id"]), (Code::HostUnknown, &bob.to_string().into()));
    assert_eq!(w.booking(booking.id).await, booking, "nothing changed");
    known_there(&w, bob, "bob-there").await;
    w.provider.next("reassign", Fault::Before(LOST));
    let given = give(&w, &booking, None).await.unwrap();
    assert!(given.pending && given.booking.member == bob, "{given:?}");
    // Until the provider agrees the time of both is taken.
    for member in [w.ana.id, bob] {
        let request = BookRequest { member: Some(member), ..w.request(monday("10:00")) };
        assert_eq!(w.engine.bookings.book(&w.caller, request).await.unwrap_err().code, Code::SlotTaken);
    }
    while w.later(600).await > 0 {}
    let now = w.booking(booking.id).await;
    assert_eq!((now.member, now.provider_task, now.local_changes.len()), (bob, None, 0));
    assert_eq!(w.provider.active()[0].raw["host"], "bob-there");
    w.agrees(booking.id).await;
    let request = BookRequest { member: Some(w.ana.id), ..w.request(monday("10:00")) };
    assert!(w.engine.bookings.book(&w.caller, request).await.is_ok(), "Ana's time is free again");
}

#[tokio::test]
async fn whoever_may_not_have_it_there_does_not_have_it_here() {
    let (w, booking, bob) = Box::pin(told()).await;
    known_there(&w, bob, "bob-there").await;
    w.provider.next("reassign", Fault::Before(no()));
    assert_eq!(give(&w, &booking, Some(bob)).await.unwrap_err().code, Code::ProviderRefused);
    let now = w.booking(booking.id).await;
    assert_eq!((now.member, &now.assignment), (w.ana.id, &booking.assignment));
    assert!(w.timeline(booking.id).await.contains(&"booking.reassign_refused".to_owned()));
    w.agrees(booking.id).await;
    let request = BookRequest { member: Some(bob), ..w.request(monday("10:00")) };
    assert!(w.engine.bookings.book(&w.caller, request).await.is_ok(), "Bob's time is free again");
}

#[tokio::test]
async fn a_cancellation_goes_before_what_is_not_delivered() {
    let (w, booking, _) = Box::pin(told()).await;
    w.provider.next("update", Fault::Before(LOST));
    noted(&w, &booking, "By the door").await.unwrap();
    w.cancel(booking.id).await.unwrap();
    while w.later(600).await > 0 {}
    let now = w.booking(booking.id).await;
    assert_eq!((now.status, &now.undelivered), (BookingStatus::Cancelled, &None));
    assert_eq!(w.provider.state().updates.len(), 0);
    w.agrees(booking.id).await;
}
