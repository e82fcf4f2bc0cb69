//! A change that is asked for after what the booking was made with was itself changed, deactivated or taken away: a table, cell by cell.

use berth_engine::{
    BookOutcome, BookRequest, CancelBooking, EventTypePatch, HoldClaim, HoldRequest, ListingPatch,
    MemberPatch, Outcome, RescheduleBooking, SeriesRequest,
};
use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus},
        series::{SeriesScope, SeriesStarts},
    },
    catalog::event_type::{Confirmation, EventTypePolicy},
    id::MemberId,
    outbound::provider::{CallError, ProviderError},
    problem::{Code, Problem},
    scheduling::rules::TeamMode,
};
use berth_store::records::GrantRecord;

use crate::{
    provider::Fault,
    world::{World, grant, member, monday, new_connection, world},
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Cancel,
    Move,
    Confirm,
    Decline,
    NoShow,
    Link,
    SeriesCancel,
    SeriesMove,
    BookHold,
}

/// What was changed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Nothing,
    MemberInactive,
    MemberTakenOut,
    AllReplaced,
    EventTypeInactive,
    Length,
    Team,
    ListingInactive,
    ListingElsewhere,
    PluginDisabled,
    PluginGone,
    NoConsent,
}

const ASKED: [Asked; 9] = [
    Asked::Cancel,
    Asked::Move,
    Asked::Confirm,
    Asked::Decline,
    Asked::NoShow,
    Asked::Link,
    Asked::SeriesCancel,
    Asked::SeriesMove,
    Asked::BookHold,
];
const CHANGED: [Changed; 12] = [
    Changed::Nothing,
    Changed::MemberInactive,
    Changed::MemberTakenOut,
    Changed::AllReplaced,
    Changed::EventTypeInactive,
    Changed::Length,
    Changed::Team,
    Changed::ListingInactive,
    Changed::ListingElsewhere,
    Changed::PluginDisabled,
    Changed::PluginGone,
    Changed::NoConsent,
];

/// A round robin of Ana and Bea.
async fn team(confirmation: Confirmation) -> (World, MemberId) {
    let mut w = world().await;
    let bea = member(&w.engine, &w.caller, "Bea").await.id;
    let policy =
        EventTypePolicy { team_mode: TeamMode::RoundRobin, confirmation, ..EventTypePolicy::default() };
    let patch = EventTypePatch {
        members: Some(vec![w.ana.id, bea]),
        policy: Some(policy),
        ..EventTypePatch::default()
    };
    w.event_type = w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    (w, bea)
}

async fn change(w: &World, changed: Changed, host: MemberId, other: MemberId) {
    let edit = async |patch| {
        w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    };
    let listing = async |patch| {
        w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
    };
    match changed {
        Changed::Nothing => {}
        Changed::MemberInactive => {
            let patch = MemberPatch { active: Some(false), ..MemberPatch::default() };
            w.engine.catalog.update_member(&w.caller, host, patch, None).await.unwrap();
        }
        Changed::MemberTakenOut => {
            edit(EventTypePatch { members: Some(vec![other]), ..EventTypePatch::default() }).await;
        }
        Changed::AllReplaced => {
            let cleo = member(&w.engine, &w.caller, "Cleo").await.id;
            edit(EventTypePatch { members: Some(vec![cleo]), ..EventTypePatch::default() }).await;
        }
        Changed::EventTypeInactive => {
            edit(EventTypePatch { active: Some(false), ..EventTypePatch::default() }).await;
        }
        Changed::Length => {
            edit(EventTypePatch { length_minutes: Some(45), ..EventTypePatch::default() }).await;
        }
        Changed::Team => {
            let policy = EventTypePolicy { team_mode: TeamMode::Collective, ..w.event_type.policy.clone() };
            edit(EventTypePatch { policy: Some(policy), ..EventTypePatch::default() }).await;
        }
        Changed::ListingInactive => {
            listing(ListingPatch { active: Some(false), ..ListingPatch::default() }).await;
        }
        Changed::ListingElsewhere => {
            let there = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
            listing(ListingPatch { booking_provider: Some(Some(there.id)), ..ListingPatch::default() }).await;
        }
        Changed::PluginDisabled => {
            let disabled = GrantRecord {
                plugin: "acme".parse().unwrap(),
                tenant: Some(w.tenant.id),
                listing: None,
                hosts: grant(&["api.acme.example"]),
                enabled: false,
            };
            w.engine.plugins.set_grant("operator", "req", disabled).await.unwrap();
        }
        Changed::PluginGone => w.provider.state().active = false,
        Changed::NoConsent => {
            for function in ["create", "get", "find_by_reference", "cancel", "reschedule"] {
                for _ in 0..5 {
                    let refused = CallError::Provider(ProviderError::Unauthorised);
                    w.provider.next(function, Fault::Before(refused));
                }
            }
        }
    }
}

fn to(clock: &str) -> RescheduleBooking {
    RescheduleBooking { start: monday(clock), expected_sequence: None, bound_by_cutoffs: false }
}

/// Ask, and what came of it: the bookings that were changed, or the refusal.
async fn ask(w: &World, asked: Asked, booking: &Booking) -> Outcome<Vec<Booking>> {
    let (engine, caller, id) = (&w.engine, &w.caller, booking.id);
    let one = |outcome: BookOutcome| vec![outcome.booking];
    match asked {
        Asked::Cancel => engine.bookings.cancel(caller, id, CancelBooking::default()).await.map(one),
        Asked::Move => engine.bookings.reschedule(caller, id, to("11:00")).await.map(one),
        Asked::Confirm => engine.bookings.confirm(caller, id, None).await.map(one),
        Asked::Decline => engine.bookings.decline(caller, id, None, None).await.map(|booking| vec![booking]),
        Asked::NoShow => engine.bookings.no_show(caller, id, None).await.map(|booking| vec![booking]),
        Asked::Link => {
            let link = engine.bookings.manage_link(caller, id).await?;
            let (customer, id) = engine.bookings.customer_of(link.token.expose(), "req")?;
            let managed = engine.bookings.managed(&customer, id).await?;
            assert_eq!(managed.members.len(), 1, "the host has a name, also one who left");
            Ok(vec![managed.booking])
        }
        Asked::SeriesCancel => {
            let scope = SeriesScope::Series;
            let done = engine.bookings.cancel_series(caller, id, scope, CancelBooking::default()).await?;
            clear(done.refused.into_iter().map(|refused| refused.problem))?;
            Ok(done.done)
        }
        Asked::SeriesMove => {
            let done =
                engine.bookings.reschedule_series(caller, id, SeriesScope::Series, to("11:00")).await?;
            clear(done.refused.into_iter().map(|refused| refused.problem))?;
            Ok(done.done)
        }
        Asked::BookHold => unreachable!("it has no booking yet"),
    }
}

fn clear(mut refused: impl Iterator<Item = Problem>) -> Outcome<()> {
    refused.next().map_or(Ok(()), Err)
}

/// A refusal is clear: neither "there is no such thing" nor a failure of ours or the provider's.
fn is_clear(cell: (Asked, Changed), problem: &Problem) {
    let status = problem.code.status();
    assert!((400..500).contains(&status) && problem.code != Code::NotFound, "{cell:?}: {problem:?}");
    assert!(!problem.detail.is_empty(), "{cell:?}");
    if problem.code == Code::SlotTaken {
        assert!(problem.extra.contains_key("reason"), "{cell:?}: {problem:?}");
        assert!(problem.extra.contains_key("alternatives"), "{cell:?}: {problem:?}");
    }
}

async fn cell(asked: Asked, changed: Changed) -> Outcome<Vec<Booking>> {
    let waits = matches!(asked, Asked::Confirm | Asked::Decline);
    let confirmation = if waits { Confirmation::Manual } else { Confirmation::Automatic };
    let (w, bea) = team(confirmation).await;
    let other = |host: MemberId| if host == bea { w.ana.id } else { bea };
    if asked == Asked::BookHold {
        let hold = HoldRequest {
            event_type: w.event_type.id,
            start: monday("10:00"),
            length_minutes: None,
            member: None,
            seconds: Some(600),
            token: None,
        };
        let (kept, token) = w.engine.bookings.hold(&w.caller, hold).await.unwrap();
        change(&w, changed, kept.member, other(kept.member)).await;
        let claim = HoldClaim { id: kept.id, token };
        let request = BookRequest { hold: Some(claim.clone()), ..w.request(monday("10:00")) };
        let booked = w.engine.bookings.book(&w.caller, request).await.map(|outcome| vec![outcome.booking]);
        if booked.is_err() {
            w.engine
                .bookings
                .extend_hold(&w.caller, &claim, None)
                .await
                .expect("what was refused kept the hold");
        }
        return booked;
    }
    let booking = if matches!(asked, Asked::SeriesCancel | Asked::SeriesMove) {
        let starts = SeriesStarts::EveryWeeks { weeks: 1, count: 2 };
        let series = SeriesRequest { first: w.request(monday("10:00")), starts, best_effort: false };
        let made = w.engine.bookings.book_series(&w.caller, series).await.unwrap().done;
        while w.later(1).await > 0 {}
        w.booking(made[0].id).await
    } else {
        w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap().booking
    };
    change(&w, changed, booking.member, other(booking.member)).await;
    if asked == Asked::NoShow {
        w.clock.pass_seconds(4 * 86_400);
    }
    let counterparts = w.provider.active();
    let outcome = ask(&w, asked, &booking).await;
    if outcome.is_err() {
        assert_eq!(w.booking(booking.id).await, booking, "{asked:?} {changed:?} was refused and changed it");
        assert_eq!(
            w.provider.active(),
            counterparts,
            "{asked:?} {changed:?} was refused and changed its counterpart"
        );
    }
    outcome
}

#[tokio::test]
async fn every_cell_has_a_clear_answer() {
    for asked in ASKED {
        for changed in CHANGED {
            let outcome = Box::pin(cell(asked, changed)).await;
            if let Err(problem) = &outcome {
                is_clear((asked, changed), problem);
            }
            // What is over or given up needs nothing that could be missing, and neither does the customer's own page.
            let gives_up = matches!(
                asked,
                Asked::Cancel
                    | Asked::Decline
                    | Asked::NoShow
                    | Asked::Link
                    | Asked::SeriesCancel
                    | Asked::Confirm
            );
            let is_done = gives_up || changed == Changed::Nothing;
            assert!(!is_done || outcome.is_ok(), "{asked:?} {changed:?}: {outcome:?}");
            let goes_on = matches!(
                changed,
                Changed::MemberInactive
                    | Changed::MemberTakenOut
                    | Changed::AllReplaced
                    | Changed::Length
                    | Changed::ListingElsewhere
            );
            assert!(!goes_on || outcome.is_ok(), "{asked:?} {changed:?}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn who_left_is_replaced_by_whoever_is_free_and_next() {
    let (w, bea) = team(Confirmation::Automatic).await;
    let booking = w.booked(monday("10:00")).await;
    let other = if booking.member == bea { w.ana.id } else { bea };
    change(&w, Changed::MemberTakenOut, booking.member, other).await;
    let moved = w.reschedule(booking.id, monday("11:00")).await.unwrap().booking;
    assert_eq!((moved.member, moved.when.start()), (other, monday("11:00")));
    w.agrees(booking.id).await;
    // The other one's time is taken now, and nobody else's.
    let refused = w.reschedule(w.booked(monday("10:00")).await.id, monday("11:00")).await.unwrap_err();
    assert_eq!(refused.code, Code::SlotTaken);
    assert!(!refused.extra["alternatives"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_move_that_the_provider_refuses_leaves_it_with_who_had_it() {
    let (w, bea) = team(Confirmation::Automatic).await;
    let booking = w.booked(monday("10:00")).await;
    let other = if booking.member == bea { w.ana.id } else { bea };
    change(&w, Changed::MemberInactive, booking.member, other).await;
    for start in ["11:00", "10:15"] {
        let taken = berth_model::outbound::provider::ProviderConflict::SlotTaken;
        w.provider.next("reschedule", Fault::Before(CallError::Provider(ProviderError::Conflict(taken))));
        let refused = w.reschedule(booking.id, monday(start)).await.unwrap_err();
        assert_eq!(refused.code, Code::SlotTaken);
        let back = w.booking(booking.id).await;
        assert_eq!(
            (back.member, back.when, back.status, &back.assignment),
            (booking.member, booking.when, BookingStatus::Confirmed, &booking.assignment)
        );
        w.agrees(booking.id).await;
    }
}
