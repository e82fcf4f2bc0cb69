//! What event types stand for at the provider, and members' calendars there: checked when saved, found out later where it could not be.

use berth_engine::{
    AvailabilityQuery, CalendarPatch, EventTypePatch, ListingPatch, NewCalendar, NewEventType, Outcome,
};
use berth_model::{
    catalog::event_type::{CounterpartState, EventTypePolicy, EventTypeRecord},
    limits,
    outbound::provider::{CallError, ExternalEventType, ProviderError},
    problem::{Code, Problem},
    scheduling::reason::Reason,
    time::Interval,
};

use serde_json::Value;

use crate::{
    calendars::{booked, settled, with_calendar},
    provider::{Fault, LOST},
    world::{World, monday, world},
};

/// Something that can be booked.
fn offered(id: &str, active: bool) -> ExternalEventType {
    ExternalEventType {
        id: id.to_owned(),
        title: id.to_owned(),
        description: None,
        length_minutes: 30,
        length_options_minutes: Vec::new(),
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        minimum_notice_minutes: 0,
        seats: 1,
        price: None,
        needs_confirmation: false,
        booking_url: None,
        active,
        raw: Value::Null,
    }
}

async fn listed() -> World {
    let w = world().await;
    w.provider.state().capabilities.catalog = true;
    w.provider.state().catalog = vec![offered("et-1", true), offered("et-2", false)];
    w.provider.state().changes = Some(Vec::new());
    w
}

async fn create(w: &World, slug: &str, external_id: Option<&str>) -> Outcome<EventTypeRecord> {
    let new = NewEventType {
        listing: w.listing.id,
        slug: slug.into(),
        title: "Shave".into(),
        description: String::new(),
        length_minutes: 30,
        slot_interval_minutes: None,
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        minimum_notice_minutes: 0,
        booking_window_days: 30,
        members: vec![w.ana.id],
        policy: EventTypePolicy::default(),
        external_id: external_id.map(str::to_owned),
        external: None,
    };
    w.engine.catalog.create_event_type(&w.caller, new).await
}

async fn state(w: &World, of: &EventTypeRecord) -> Option<CounterpartState> {
    let counterparts = w.engine.catalog.counterparts_of(&w.caller, std::slice::from_ref(of)).await.unwrap();
    counterparts[0].map(|counterpart| counterpart.state)
}

/// It is offered and can be booked, or neither, with the same reason.
async fn is_bookable(w: &World, of: &EventTypeRecord, bookable: bool) {
    let query = AvailabilityQuery {
        event_type: of.id,
        within: Interval::new(monday("09:00"), monday("12:00")).unwrap(),
        time_zone: "Europe/Warsaw".parse().unwrap(),
        length_minutes: None,
        member: None,
        provider: None,
        explain: true,
    };
    let answer = w.engine.availability.availability(&w.caller, query).await.unwrap();
    assert_eq!(answer.counterpart.is_bookable(), bookable, "{answer:?}");
    assert_eq!(!answer.slots.is_empty(), bookable, "{answer:?}");
    let told = answer.rejected.iter().filter(|rejected| rejected.reason == Reason::EventType).count();
    assert_eq!(told > 0, !bookable, "{answer:?}");
    if !bookable {
        let request = berth_engine::BookRequest { event_type: of.id, ..w.request(monday("10:00")) };
        let refused = w.engine.bookings.book(&w.caller, request).await.unwrap_err();
        assert_eq!(refused.code, Code::ProviderRefused);
        assert_eq!(refused.extra["reason"], "event_type");
        assert_eq!(w.provider.count("create"), 0);
    }
}

fn is_refused(field: &str, outcome: Result<impl std::fmt::Debug, Problem>) -> Problem {
    let refused = outcome.unwrap_err();
    assert_eq!(refused.code, Code::Invalid, "{refused:?}");
    assert_eq!(refused.errors[0].field, field, "{refused:?}");
    refused
}

async fn synced(w: &World, full: bool) {
    w.engine.mirror.start_sync(&w.caller, w.connection.id, full).await.unwrap();
    settled(w).await;
}

#[tokio::test]
async fn a_wrong_event_type_is_refused_when_it_is_saved() {
    let w = listed().await;
    is_refused("/external_id", create(&w, "none", None).await);
    let refused = is_refused("/external_id", create(&w, "wrong", Some("et-9")).await);
    assert!(refused.detail.contains("et-1"), "those that are there are named: {}", refused.detail);
    is_refused("/external_id", create(&w, "hidden", Some("et-2")).await);
    let good = create(&w, "good", Some("et-1")).await.unwrap();
    assert_eq!(state(&w, &good).await, Some(CounterpartState::Known));
    is_bookable(&w, &good, true).await;
    let patch = |external_id: Option<&str>| EventTypePatch {
        external_id: Some(external_id.map(str::to_owned)),
        ..EventTypePatch::default()
    };
    let edit = async |patch| w.engine.catalog.update_event_type(&w.caller, good.id, patch, None).await;
    is_refused("/external_id", edit(patch(Some("et-9"))).await);
    let taken_off = edit(patch(None)).await.unwrap();
    assert_eq!(state(&w, &taken_off).await, Some(CounterpartState::Missing));
    is_bookable(&w, &taken_off, false).await;
    // What is not to be booked may name nothing, until it is.
    let off = EventTypePatch { active: Some(false), ..patch(None) };
    edit(off).await.unwrap();
    is_refused(
        "/external_id",
        edit(EventTypePatch { active: Some(true), ..EventTypePatch::default() }).await,
    );
}

#[tokio::test]
async fn what_could_not_be_asked_is_looked_for_later() {
    for (there, found) in [(false, CounterpartState::Unknown), (true, CounterpartState::Known)] {
        let w = listed().await;
        synced(&w, true).await;
        w.provider.next("list_event_types", Fault::Before(LOST));
        let saved = create(&w, "new", Some("et-3")).await.unwrap();
        assert_eq!(state(&w, &saved).await, Some(CounterpartState::Unchecked));
        is_bookable(&w, &saved, true).await;
        if there {
            w.provider.state().catalog.push(offered("et-3", true));
        }
        w.clock.pass_seconds(1);
        synced(&w, false).await;
        assert_eq!(state(&w, &saved).await, Some(found));
        is_bookable(&w, &saved, there).await;
        // A change of something else does not make it any better.
        let title = EventTypePatch { title: Some("Trim".into()), ..EventTypePatch::default() };
        let saved = w.engine.catalog.update_event_type(&w.caller, saved.id, title, None).await.unwrap();
        is_bookable(&w, &saved, there).await;
    }
}

#[tokio::test]
async fn what_is_taken_off_the_list_is_not_offered_any_more() {
    let w = listed().await;
    let good = create(&w, "good", Some("et-1")).await.unwrap();
    synced(&w, true).await;
    is_bookable(&w, &good, true).await;
    w.provider.state().catalog = vec![offered("et-2", true)];
    synced(&w, true).await;
    assert_eq!(state(&w, &good).await, Some(CounterpartState::Unknown));
    is_bookable(&w, &good, false).await;
    w.provider.state().catalog = vec![offered("et-1", false)];
    synced(&w, true).await;
    assert_eq!(state(&w, &good).await, Some(CounterpartState::Inactive));
    is_bookable(&w, &good, false).await;
}

#[tokio::test]
async fn what_was_listed_before_a_disconnection_says_nothing_after_it() {
    let w = listed().await;
    let good = create(&w, "good", Some("et-1")).await.unwrap();
    synced(&w, true).await;
    w.booked(monday("10:00")).await;
    w.engine.connections.delete_connection(&w.caller, w.connection.id, None).await.unwrap();
    let credentials =
        [("api-key".to_owned(), berth_model::connections::secret::Secret::new("acme_test_again".into()))];
    let patch = berth_engine::ConnectionPatch { credentials: Some(credentials.into()), ..Default::default() };
    w.engine.connections.update_connection(&w.caller, w.connection.id, patch, None).await.unwrap();
    assert_eq!(state(&w, &good).await, Some(CounterpartState::Unchecked), "nothing was read yet");
    synced(&w, true).await;
    assert_eq!(state(&w, &good).await, Some(CounterpartState::Known));
}

#[tokio::test]
async fn a_listing_that_goes_to_another_provider_is_looked_at_anew() {
    let w = listed().await;
    let over = async |provider| {
        let patch = ListingPatch { booking_provider: Some(provider), ..ListingPatch::default() };
        w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
    };
    over(None).await;
    let here = create(&w, "here", None).await.unwrap();
    assert_eq!(state(&w, &here).await, None);
    is_bookable(&w, &here, true).await;
    over(Some(w.connection.id)).await;
    assert_eq!(state(&w, &here).await, Some(CounterpartState::Missing));
    is_bookable(&w, &here, false).await;
}

#[tokio::test]
async fn a_calendar_is_checked_when_it_is_connected() {
    let (w, connection, calendar) = with_calendar(true, false).await;
    w.provider.state().capabilities.catalog = true;
    w.provider.state().catalog = vec![offered("ana@example.com", true), offered("team@example.com", false)];
    w.provider.state().no_calendars = ["gone@example.com".to_owned()].into();
    let new = |calendar: &str, reads, writes| NewCalendar {
        member: w.ana.id,
        connection: connection.id,
        calendar: calendar.to_owned(),
        reads,
        writes,
    };
    let connect = async |new| w.engine.calendars.create_calendar(&w.caller, new).await;
    let refused = is_refused("/calendar", connect(new("team@example.com", true, true)).await);
    assert!(refused.detail.contains("ana@example.com"), "{}", refused.detail);
    is_refused("/calendar", connect(new("nobody@example.com", false, true)).await);
    is_refused("/calendar", connect(new("gone@example.com", true, false)).await);
    connect(new("team@example.com", true, false)).await.unwrap();
    let edit = async |patch| w.engine.calendars.update_calendar(&w.caller, calendar.id, patch).await;
    let to =
        |calendar: &str| CalendarPatch { calendar: Some(calendar.to_owned()), ..CalendarPatch::default() };
    is_refused("/calendar", edit(to("gone@example.com")).await);
    let written = CalendarPatch { writes: Some(true), ..CalendarPatch::default() };
    edit(written).await.unwrap();
    is_refused("/calendar", edit(to("team@example.com")).await);

    // Where nobody can say, it is taken, and says so.
    w.provider.state().unreadable = Some(LOST);
    let unknown = connect(new("later@example.com", true, false)).await.unwrap();
    assert!(unknown.trouble.is_some());
    w.provider.state().unreadable = None;
    booked(&w, monday("10:00")).await;
    w.clock.pass_seconds(limits::CALENDAR_LOOK_SECONDS + 1);
    w.engine.calendars.begin_calendar_looks().await.unwrap();
    settled(&w).await;
    assert_eq!(w.engine.calendars.calendar(&w.caller, unknown.id).await.unwrap().trouble, None);
}

#[tokio::test]
async fn a_calendar_that_goes_away_later_is_named() {
    let (w, _, calendar) = with_calendar(true, false).await;
    booked(&w, monday("10:00")).await;
    let looked = async || {
        w.clock.pass_seconds(limits::CALENDAR_LOOK_SECONDS + 1);
        w.engine.calendars.begin_calendar_looks().await.unwrap();
        settled(&w).await;
        w.engine.calendars.calendar(&w.caller, calendar.id).await.unwrap().trouble
    };
    assert_eq!(looked().await, None);
    w.provider.state().no_calendars = ["ana@example.com".to_owned()].into();
    assert!(looked().await.unwrap().contains("cannot be read"));
    w.provider.state().no_calendars.clear();
    w.provider.state().unreadable = Some(CallError::Provider(ProviderError::Unauthorised));
    assert!(looked().await.is_some(), "what only may be over is not said to be");
    w.provider.state().unreadable = None;
    assert_eq!(looked().await, None);
}
