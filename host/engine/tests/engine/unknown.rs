//! What cannot be asked hides, and what hides is not booked either: by every door the same answer.

use berth_engine::{
    AvailabilityQuery, BookRequest, EventTypePatch, HoldRequest, ListingPatch, NewCalendar, ProviderChoice,
    SeriesRequest,
};
use berth_model::{
    bookings::series::SeriesStarts,
    catalog::event_type::{EventTypePolicy, HostRole},
    id::MemberId,
    outbound::provider::{CallError, ProviderError, QuerySpans},
    problem::{Code, Problem},
    scheduling::{reason::Reason, rules::TeamMode},
    time::{Instant, Interval},
};
use rand::{RngCore, SeedableRng, rngs::StdRng};

use crate::{
    calendars::with_calendar,
    provider::LOST,
    world::{World, member, monday, new_connection, world},
};

/// Ana, whose calendar is read, and Ben, who has none.
async fn two() -> (World, MemberId) {
    let (mut w, ..) = with_calendar(true, false).await;
    let ben = member(&w.engine, &w.caller, "Ben").await.id;
    let patch = EventTypePatch { members: Some(vec![w.ana.id, ben]), ..EventTypePatch::default() };
    w.event_type = w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let patch = ListingPatch { booking_provider: Some(None), ..ListingPatch::default() };
    w.listing = w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
    (w, ben)
}

fn here(w: &World, start: Instant, member: Option<MemberId>) -> BookRequest {
    BookRequest { provider: Some(ProviderChoice::BuiltIn), member, ..w.request(start) }
}

async fn offered(w: &World, member: Option<MemberId>) -> berth_engine::AvailabilityAnswer {
    let query = AvailabilityQuery {
        event_type: w.event_type.id,
        within: Interval::new(monday("09:00"), monday("12:00")).unwrap(),
        time_zone: "Europe/Warsaw".parse().unwrap(),
        length_minutes: None,
        member,
        provider: Some(ProviderChoice::BuiltIn),
        explain: true,
    };
    w.engine.availability.availability(&w.caller, query).await.unwrap()
}

fn is_unknown(problem: &Problem) {
    assert_eq!(problem.code, Code::SlotTaken, "{problem:?}");
    assert_eq!(problem.extra["reason"], "degraded", "{problem:?}");
    assert_eq!(
        problem.extra["degraded"].as_array().unwrap().len(),
        1,
        "what could not be asked: {problem:?}"
    );
    assert!(problem.extra.contains_key("alternatives"), "{problem:?}");
    assert!(problem.hint.is_some());
}

#[tokio::test]
async fn what_hides_is_refused_by_every_door() {
    for (unreadable, how) in [
        (LOST, "away"),
        (CallError::Provider(ProviderError::Unauthorised), "without consent"),
        (CallError::Provider(ProviderError::NotFound), "gone"),
    ] {
        let (w, ben) = two().await;
        let ana = Some(w.ana.id);
        let before = w.engine.bookings.book(&w.caller, here(&w, monday("09:00"), ana)).await.unwrap().booking;
        w.provider.state().unreadable = Some(unreadable);
        w.clock.pass_seconds(600);

        let answer = offered(&w, ana).await;
        assert!(answer.slots.is_empty(), "{how}");
        assert_eq!(answer.degraded[0].member, ana, "{how}");
        let reasons: Vec<Reason> = answer.rejected.iter().map(|r| r.reason).collect();
        assert!(reasons.contains(&Reason::Degraded), "{how}: {reasons:?}");

        let start = monday("10:00");
        is_unknown(&w.engine.bookings.book(&w.caller, here(&w, start, ana)).await.unwrap_err());
        let hold = |member| HoldRequest {
            event_type: w.event_type.id,
            start,
            length_minutes: None,
            member,
            seconds: None,
            token: None,
        };
        is_unknown(&w.engine.bookings.hold(&w.caller, hold(ana)).await.unwrap_err());
        is_unknown(&w.reschedule(before.id, start).await.unwrap_err());
        let series = |best_effort| SeriesRequest {
            first: here(&w, start, ana),
            starts: SeriesStarts::EveryWeeks { weeks: 1, count: 2 },
            best_effort,
        };
        is_unknown(&w.engine.bookings.book_series(&w.caller, series(false)).await.unwrap_err());
        is_unknown(&w.engine.bookings.book_series(&w.caller, series(true)).await.unwrap_err());

        // Who can be asked is offered and taken.
        let answer = offered(&w, None).await;
        assert!(!answer.slots.is_empty() && answer.slots.iter().all(|slot| slot.members == [ben]), "{how}");
        let booked = w.engine.bookings.book(&w.caller, here(&w, start, None)).await.unwrap().booking;
        assert_eq!(booked.member, ben, "{how}");

        // Where the listing offers without asking, it is booked without asking.
        let patch = ListingPatch { offer_when_degraded: Some(true), ..ListingPatch::default() };
        w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
        assert!(!offered(&w, ana).await.slots.is_empty());
        w.engine.bookings.book(&w.caller, here(&w, start, ana)).await.unwrap();
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_hides_everyone() {
    let (w, _) = two().await;
    let patch = ListingPatch { booking_provider: Some(Some(w.connection.id)), ..ListingPatch::default() };
    w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
    w.provider.state().unreadable = Some(LOST);
    w.clock.pass_seconds(600);
    let refused = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!((refused.code, &refused.extra["reason"]), (Code::SlotTaken, &serde_json::json!("degraded")));
    assert_eq!(refused.extra["alternatives"], serde_json::json!([]));
    assert_eq!(w.provider.count("create"), 0);
    w.provider.state().unreadable = None;
    w.booked(monday("10:00")).await;
}

/// A provider that takes its time to say nothing would take it several times, a series for each of its bookings.
#[tokio::test]
async fn who_does_not_answer_is_asked_once_for_each_request() {
    let (w, _) = two().await;
    w.provider.state().unreadable = Some(LOST);
    let asked = || w.provider.count("busy");
    // A member's calendar, and then the provider that is booked, too.
    for (over, once) in [(None, 1), (Some(w.connection.id), 2)] {
        let patch = ListingPatch { booking_provider: Some(over), ..ListingPatch::default() };
        w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
        let first = BookRequest { member: Some(w.ana.id), ..w.request(monday("10:00")) };
        for best_effort in [None, Some(false), Some(true)] {
            w.clock.pass_seconds(600);
            let (first, before) = (first.clone(), asked());
            let refused = match best_effort {
                None => w.engine.bookings.book(&w.caller, first).await.unwrap_err(),
                Some(best_effort) => {
                    let starts = SeriesStarts::EveryWeeks { weeks: 1, count: 5 };
                    let series = SeriesRequest { first, starts, best_effort };
                    w.engine.bookings.book_series(&w.caller, series).await.unwrap_err()
                }
            };
            assert_eq!((refused.code, &refused.extra["reason"]), (Code::SlotTaken, &"degraded".into()));
            assert_eq!(asked() - before, once, "{over:?} {best_effort:?}");
        }
    }
}

/// Whatever the team is and whoever cannot be asked: what is offered is held, and nothing else is.
#[tokio::test]
async fn what_is_offered_is_taken_and_nothing_else() {
    let fresh = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 0);
    for seed in [12, fresh] {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        for _ in 0..8 {
            one_case(&mut random).await;
        }
    }
}

async fn one_case(random: &mut StdRng) {
    let mut w = world().await;
    {
        let mut state = w.provider.state();
        state.capabilities.availability = true;
        state.spans = Some(QuerySpans { free_slots_days: 0, busy_days: 30 });
    }
    let calendars = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
    let mut members = vec![w.ana.id];
    for name in ["Bea", "Cleo"] {
        members.push(member(&w.engine, &w.caller, name).await.id);
    }
    for (i, member) in members.iter().enumerate() {
        if !random.next_u32().is_multiple_of(3) {
            let calendar = format!("calendar-{i}");
            let (connection, reads, writes) = (calendars.id, true, false);
            let new = NewCalendar { member: *member, connection, calendar, reads, writes };
            w.engine.calendars.create_calendar(&w.caller, new).await.unwrap();
        }
    }
    let team_mode = [TeamMode::Single, TeamMode::Collective, TeamMode::RoundRobin]
        [usize::try_from(random.next_u32() % 3).unwrap()];
    let fixed = team_mode == TeamMode::RoundRobin && random.next_u32().is_multiple_of(2);
    let host_roles =
        if fixed { vec![HostRole { member: members[0], fixed, group: None }] } else { Vec::new() };
    let policy = EventTypePolicy { team_mode, host_roles, ..EventTypePolicy::default() };
    let patch = EventTypePatch { members: Some(members), policy: Some(policy), ..EventTypePatch::default() };
    w.event_type = w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let patch = ListingPatch {
        booking_provider: Some(None),
        offer_when_degraded: Some(random.next_u32().is_multiple_of(4)),
        ..ListingPatch::default()
    };
    w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
    {
        let mut state = w.provider.state();
        for i in 0..3 {
            if random.next_u32().is_multiple_of(2) {
                state.no_calendars.insert(format!("calendar-{i}"));
            }
        }
        let from = monday("09:00").plus_minutes(i64::from(random.next_u32() % 120));
        state.busy = vec![Interval::of_minutes(from, 20)];
    }
    w.clock.pass_seconds(600);
    let offered = offered(&w, None).await.slots;
    for half_hours in 0..6 {
        let start = monday("09:00").plus_minutes(30 * half_hours);
        let is_offered = offered.iter().any(|slot| slot.when.start() == start);
        let hold = HoldRequest {
            event_type: w.event_type.id,
            start,
            length_minutes: None,
            member: None,
            seconds: None,
            token: None,
        };
        match w.engine.bookings.hold(&w.caller, hold).await {
            Ok((kept, _)) => {
                assert!(is_offered, "{start} was held and is not offered: {offered:?}");
                w.engine.bookings.release_hold(&w.caller, kept.id).await.unwrap();
            }
            Err(refused) => assert!(!is_offered, "{start} is offered and was refused: {refused:?}"),
        }
    }
}
