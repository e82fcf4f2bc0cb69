//! What is offered, and what becomes of it when a provider has a say.

use berth_engine::{AvailabilityAnswer, AvailabilityQuery, EventTypePatch, ListingPatch, MemberPatch};
use berth_model::{
    outbound::provider::QuerySpans,
    plugins::plugin::Capabilities,
    problem::Code,
    time::{Instant, Interval},
};

use crate::{
    provider::{Fault, LOST},
    world::{World, half_hour, hours, member, monday, world},
};

fn day(from: &str, to: &str) -> Interval {
    Interval::new(monday(from), monday(to)).unwrap()
}

async fn ask(w: &World, within: Interval) -> AvailabilityAnswer {
    let query = AvailabilityQuery {
        event_type: w.event_type.id,
        within,
        time_zone: w.listing.time_zone,
        length_minutes: None,
        member: None,
        provider: None,
        explain: false,
    };
    w.engine.availability.availability(&w.caller, query).await.unwrap()
}

async fn starts(w: &World, within: Interval) -> Vec<Instant> {
    ask(w, within).await.slots.into_iter().map(|s| s.when.start()).collect()
}

fn at(clocks: &[&str]) -> Vec<Instant> {
    clocks.iter().map(|c| monday(c)).collect()
}

fn with_availability(w: &World, free_slots_days: u32, busy_days: u32) {
    let mut state = w.provider.state();
    state.capabilities = Capabilities { availability: true, ..state.capabilities };
    state.spans = Some(QuerySpans { free_slots_days, busy_days });
}

const ALL: [&str; 6] = ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"];

#[tokio::test]
async fn opening_hours_less_what_is_booked() {
    let w = world().await;
    assert_eq!(starts(&w, day("00:00", "23:00")).await, at(&ALL));
    w.booked(monday("10:00")).await;
    assert_eq!(starts(&w, day("09:10", "11:30")).await, at(&["09:30", "10:30", "11:00"]));
}

#[tokio::test]
async fn buffers_notice_and_the_window_count() {
    let w = world().await;
    w.booked(monday("10:00")).await;
    let patch = EventTypePatch {
        buffer_before_minutes: Some(15),
        minimum_notice_minutes: Some(
            u32::try_from(monday("09:30").micros_since(w.engine.now()) / 60_000_000).unwrap(),
        ),
        booking_window_days: Some(3),
        ..EventTypePatch::default()
    };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    // 10:30 would need the time from 10:15 on.
    let week = Interval::new(monday("00:00"), monday("00:00").plus_minutes(7 * 1_440)).unwrap();
    assert_eq!(starts(&w, week).await, at(&["09:30", "11:00", "11:30"]));
}

#[tokio::test]
async fn hours_keep_to_the_members_clock_over_a_clock_change() {
    let w = world().await;
    let patch = EventTypePatch { booking_window_days: Some(200), ..EventTypePatch::default() };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let first = async |day: &str| {
        let from: Instant = format!("{day}T00:00:00Z").parse().unwrap();
        starts(&w, Interval::new(from, from.plus_minutes(1_440)).unwrap()).await[0].to_string()
    };
    assert_eq!(first("2027-03-26").await, "2027-03-26T08:00:00Z");
    assert_eq!(first("2027-03-29").await, "2027-03-29T07:00:00Z");
}

#[tokio::test]
async fn the_member_with_least_to_do_is_chosen_and_the_next_if_taken() {
    let w = world().await;
    let ben = member(&w.engine, &w.caller, "Ben").await;
    let patch = EventTypePatch { members: Some(vec![w.ana.id, ben.id]), ..EventTypePatch::default() };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    assert_eq!(ask(&w, day("09:00", "09:30")).await.slots[0].members.len(), 2);
    let first = w.booked(monday("09:00")).await;
    let second = w.booked(monday("09:00")).await;
    assert_ne!(first.member, second.member);
    let third = w.engine.bookings.book(&w.caller, w.request(monday("09:00"))).await.unwrap_err();
    assert_eq!(third.code, Code::SlotTaken);
    let nearest: Vec<Instant> = serde_json::from_value(third.extra["alternatives"].clone()).unwrap();
    assert_eq!(nearest, at(&["09:30", "10:00", "10:30", "11:00", "11:30"]));
    // A free member is not asked for; the one who is named is.
    let mut request = w.request(monday("10:00"));
    request.member = Some(ben.id);
    assert_eq!(w.engine.bookings.book(&w.caller, request).await.unwrap().booking.member, ben.id);
}

#[tokio::test]
async fn racing_for_one_place_has_one_winner() {
    let w = world().await;
    let races = (0..8).map(|_| w.engine.bookings.book(&w.caller, w.request(monday("10:00"))));
    let results = futures_util::future::join_all(races).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    for lost in results.into_iter().filter_map(Result::err) {
        assert_eq!(lost.code, Code::SlotTaken);
    }
    assert_eq!(w.provider.count("create"), 1);
}

#[tokio::test]
async fn free_slots_of_the_provider_narrow_what_is_offered() {
    let w = world().await;
    with_availability(&w, 31, 31);
    w.provider.state().free = at(&["09:30", "10:15", "11:00"]);
    assert_eq!(starts(&w, day("00:00", "23:00")).await, at(&["09:30", "11:00"]));
    assert_eq!(w.provider.count("busy"), 0);
    let gone = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!(gone.code, Code::SlotTaken);
    w.booked(monday("09:30")).await;
}

#[tokio::test]
async fn busy_times_of_the_provider_are_subtracted() {
    let w = world().await;
    with_availability(&w, 0, 31);
    w.provider.state().busy = vec![half_hour(monday("09:45")), half_hour(monday("11:00"))];
    assert_eq!(starts(&w, day("00:00", "23:00")).await, at(&["09:00", "10:30", "11:30"]));
}

#[tokio::test]
async fn long_ranges_are_asked_in_the_providers_spans() {
    let w = world().await;
    with_availability(&w, 0, 7);
    let weeks = Interval::new(monday("00:00"), monday("00:00").plus_minutes(17 * 1_440)).unwrap();
    ask(&w, weeks).await;
    let asked = w.provider.state().asked.clone();
    assert_eq!(asked.len(), 3);
    assert_eq!((asked[0].start(), asked[2].end()), (weeks.start(), weeks.end()));
    assert!(asked.windows(2).all(|w| w[0].end() == w[1].start()), "{asked:?}");
}

#[tokio::test]
async fn answers_are_kept_until_they_are_old_or_something_is_booked() {
    let w = world().await;
    with_availability(&w, 0, 31);
    let monday_morning = day("09:00", "12:00");
    starts(&w, monday_morning).await;
    starts(&w, monday_morning).await;
    assert_eq!(w.provider.count("busy"), 1, "the second answer is the first");
    w.clock.pass_seconds(61);
    starts(&w, monday_morning).await;
    assert_eq!(w.provider.count("busy"), 2);
    w.booked(monday("10:00")).await;
    let asked = w.provider.count("busy");
    starts(&w, monday_morning).await;
    assert_eq!(w.provider.count("busy"), asked + 1, "our own booking changed it");
}

#[tokio::test]
async fn a_provider_that_fails_hides_or_offers_as_the_listing_says() {
    let w = world().await;
    with_availability(&w, 0, 31);
    w.provider.next("busy", Fault::Before(LOST));
    let hidden = ask(&w, day("09:00", "12:00")).await;
    assert!(hidden.slots.is_empty());
    assert_eq!(hidden.degraded[0].connection, w.connection.id);

    let patch = ListingPatch { offer_when_degraded: Some(true), ..ListingPatch::default() };
    w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
    w.provider.next("busy", Fault::Before(LOST));
    let offered = ask(&w, day("09:00", "12:00")).await;
    assert_eq!(offered.slots.len(), 6);
    assert_eq!(offered.degraded.len(), 1);
    assert!(ask(&w, day("09:00", "12:00")).await.degraded.is_empty(), "a failure is not kept");
}

#[tokio::test]
async fn what_cannot_be_booked_is_refused_and_named() {
    let w = world().await;
    let query = AvailabilityQuery {
        event_type: w.event_type.id,
        within: Interval::new(monday("00:00"), monday("00:00").plus_minutes(93 * 1_440)).unwrap(),
        time_zone: w.listing.time_zone,
        length_minutes: None,
        member: None,
        provider: None,
        explain: false,
    };
    let problem = w.engine.availability.availability(&w.caller, query).await.unwrap_err();
    assert_eq!(problem.code, Code::MalformedParameter);
    for start in [monday("08:30"), monday("10:10"), monday("12:00"), w.engine.now().plus_minutes(-60)] {
        let problem = w.engine.bookings.book(&w.caller, w.request(start)).await.unwrap_err();
        assert_eq!(problem.code, Code::SlotTaken, "{start}");
    }
    let patch = MemberPatch { weekly_hours: Some(hours("12:00", "09:00")), ..MemberPatch::default() };
    let problem = w.engine.catalog.update_member(&w.caller, w.ana.id, patch, None).await.unwrap_err();
    assert_eq!(problem.errors[0].field, "/weekly_hours/0/end");
    let patch =
        EventTypePatch { slug: Some("-".into()), length_minutes: Some(0), ..EventTypePatch::default() };
    let problem =
        w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap_err();
    let fields: Vec<&str> = problem.errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["/slug", "/length_minutes"]);
}
