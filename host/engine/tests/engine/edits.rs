//! What is written on a booking, and whom it is given to, where a provider has it: refused with the way to it, or here alone.

use berth_engine::{BookRequest, EditBooking, EventTypePatch, ProviderChoice, ReassignBooking};
use berth_model::{
    bookings::{booking::Booking, edit::Contents},
    id::MemberId,
    mirror::sync::{SourceOfTruth, SyncRules},
    problem::Code,
    time::Interval,
};

use crate::world::{World, member, monday, world};

fn edit(booking: &Booking, local_only: bool, change: impl Fn(&mut Contents)) -> EditBooking {
    let mut contents = Contents::of(booking);
    change(&mut contents);
    EditBooking { contents, local_only, seats_taken: None, expected_sequence: Some(booking.sequence) }
}

fn to(member: Option<MemberId>, local_only: bool) -> ReassignBooking {
    ReassignBooking { member, local_only, expected_sequence: None }
}

/// A second member who can be booked for it.
async fn bob(w: &World) -> MemberId {
    let bob = member(&w.engine, &w.caller, "Bob").await.id;
    let patch = EventTypePatch { members: Some(vec![w.ana.id, bob]), ..EventTypePatch::default() };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    bob
}

async fn read_everything(w: &World) {
    let bookings = w.provider.state().bookings.clone();
    w.provider.state().changes = Some(bookings);
    w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
    while w.later(1).await > 0 {}
}

#[tokio::test]
async fn what_is_changed_here_alone_is_shown_and_is_no_conflict() {
    for source in [SourceOfTruth::Provider, SourceOfTruth::Berth] {
        let w = world().await;
        let bob = bob(&w).await;
        let rules = SyncRules { source_of_truth: source, ..SyncRules::default() };
        w.engine.mirror.set_sync_rules(&w.caller, w.connection.id, rules).await.unwrap();
        let request = BookRequest { member: Some(w.ana.id), ..w.request(monday("10:00")) };
        let booking = w.engine.bookings.book(&w.caller, request).await.unwrap().booking;
        assert!(booking.external_id.is_some());

        let renamed = |c: &mut Contents| c.attendee.name = "Bea Nowak".into();
        let refused = w.engine.bookings.edit(&w.caller, booking.id, edit(&booking, false, renamed)).await;
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.code, &refused.extra["reason"]),
            (Code::ProviderUnsupported, &"unsupported".into())
        );
        assert_eq!(refused.extra["url"], "https://api.acme.example");
        let refused = w.engine.bookings.reassign(&w.caller, booking.id, to(Some(bob), false)).await;
        assert_eq!(refused.unwrap_err().code, Code::ProviderUnsupported);
        assert_eq!(w.booking(booking.id).await, booking, "nothing changed");

        // What is nobody's but ours needs no asking.
        let noted = |c: &mut Contents| drop(c.metadata.insert("order".into(), "17".into()));
        let booking = w
            .engine
            .bookings
            .edit(&w.caller, booking.id, edit(&booking, false, noted))
            .await
            .unwrap()
            .booking;
        assert!(booking.local_changes.is_empty());

        let edited = edit(&booking, true, renamed);
        let edited = w.engine.bookings.edit(&w.caller, booking.id, edited).await.unwrap().booking;
        let given =
            w.engine.bookings.reassign(&w.caller, booking.id, to(Some(bob), true)).await.unwrap().booking;
        assert_eq!((given.member, given.sequence), (bob, edited.sequence + 1));
        assert_eq!(given.local_changes, ["attendee", "member"]);

        for _ in 0..2 {
            read_everything(&w).await;
            let now = w.booking(booking.id).await;
            assert_eq!((now.member, now.attendee.name.as_str()), (bob, "Bea Nowak"), "{source:?}");
            let open =
                w.engine.mirror.list_conflicts(&w.caller, w.connection.id, None, true, 50).await.unwrap();
            assert!(open.is_empty(), "{source:?}: {open:?}");
        }
        let day = Interval::new(monday("00:00"), monday("23:00")).unwrap();
        let found = w.engine.mirror.reconcile(&w.caller, w.connection.id, day).await.unwrap();
        let kinds: Vec<&str> = found.differences.iter().map(|d| d.kind).collect();
        assert_eq!(kinds, ["local_changes"], "{found:?}");
        let actions = w.timeline(booking.id).await;
        let edits = actions.iter().filter(|a| a.as_str() == "booking.edited").count();
        assert_eq!((edits, actions.iter().filter(|a| a.as_str() == "booking.reassigned").count()), (2, 1));

        // It is moved and cancelled there as before.
        let moved = w.reschedule(booking.id, monday("11:00")).await.unwrap();
        assert!(!moved.pending);
        w.agrees(booking.id).await;
        w.cancel(booking.id).await.unwrap();
        w.agrees(booking.id).await;
    }
}

#[tokio::test]
async fn of_two_who_are_given_one_hour_one_gets_it() {
    let w = world().await;
    let bob = bob(&w).await;
    let cleo = member(&w.engine, &w.caller, "Cleo").await.id;
    let members = vec![w.ana.id, bob, cleo];
    let patch = EventTypePatch { members: Some(members), ..EventTypePatch::default() };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let here = |member| BookRequest {
        provider: Some(ProviderChoice::BuiltIn),
        member: Some(member),
        ..w.request(monday("10:00"))
    };
    let of_ana = w.engine.bookings.book(&w.caller, here(w.ana.id)).await.unwrap().booking;
    let of_bob = w.engine.bookings.book(&w.caller, here(bob)).await.unwrap().booking;
    // Both want Cleo's hour.
    let (one, other) = tokio::join!(
        w.engine.bookings.reassign(&w.caller, of_ana.id, to(Some(cleo), false)),
        w.engine.bookings.reassign(&w.caller, of_bob.id, to(Some(cleo), false)),
    );
    let (won, lost) = if one.is_ok() { (one, other) } else { (other, one) };
    let (won, lost) = (won.unwrap().booking, lost.unwrap_err());
    assert_eq!((won.member, lost.code), (cleo, Code::SlotTaken));
    assert_eq!(lost.extra["reason"], "taken", "{lost:?}");
    // The hour that it left is free again, and whoever is next takes it.
    let left = if won.id == of_ana.id { w.ana.id } else { bob };
    let stays = if won.id == of_ana.id { of_bob.id } else { of_ana.id };
    let given = w.engine.bookings.reassign(&w.caller, stays, to(None, false)).await.unwrap().booking;
    assert_eq!(given.member, left);
    assert!(given.local_changes.is_empty());
    let nobody = w.engine.bookings.reassign(
        &w.caller,
        won.id,
        to(Some(MemberId::from_uuid(uuid::Uuid::nil())), false),
    );
    assert_eq!(nobody.await.unwrap_err().errors[0].field, "/member_id");
}
