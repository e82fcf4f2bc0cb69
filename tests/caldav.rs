//! Bookings in a real calendar: the CalDAV component through the engine, against Radicale. Skipped, and said, without it.

#[path = "caldav/chaos.rs"]
mod chaos;

use std::{collections::BTreeSet, sync::Arc};

use berth_engine::{BookRequest, CancelBooking, EventTypePatch, NewConnection, RescheduleBooking};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    catalog::event_type::EventTypeRecord,
    connections::secret::{Credentials, Secret},
    id::{BookingId, ConnectionId, ProviderCallId},
    outbound::provider::{
        Asked, Attendee, BusyQuery, CallContext, ExternalBooking, ExternalStatus, Providers as _,
    },
    time::{Instant, Interval},
};
use berth_simulators::faults::Fault;
use berth_tests::{
    TestClock, World, component,
    proxy::Proxy,
    radicale::{LOGIN, Radicale, WARSAW, object},
};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

/// The account's first calendar, which is its default where the server names none.
const HOME: &str = "/eve/home/";
/// Longer than any wait before a job is tried again, in milliseconds.
const LATER_MS: i64 = 3_600_000;

static TURN: Mutex<()> = Mutex::const_new(());

struct Scene {
    world: World,
    connection: ConnectionId,
    radicale: Radicale,
    proxy: Proxy,
    event_type: EventTypeRecord,
}

/// A tenant whose bookings are events of Eve's calendar, with a proxy in between.
async fn scene(suite: &str) -> Option<Scene> {
    let radicale = Radicale::start(suite).await?;
    let proxy = Proxy::start(&radicale, 0).await;
    let host = proxy.url().trim_start_matches("http://").to_owned();
    let world = World::new(21, TestClock::start(), &[&host]).await;
    {
        // Compiled once, not by every test at the same time: that may take longer than a component is given.
        let _turn = TURN.lock().await;
        world.install(component("caldav")).await;
    }
    let new = NewConnection {
        plugin: "caldav".parse().unwrap(),
        name: "Eve".to_owned(),
        listing: None,
        settings: json!({ "base_url": proxy.url() }),
        credentials: credentials(),
        granted_hosts: None,
        webhook_sources: None,
    };
    let connection = world.engine.connections.create_connection(&world.caller, new).await.unwrap();
    let types =
        world.engine.catalog.external_event_types(&world.caller, connection.id, None).await.unwrap().items;
    let shown: Vec<_> = types.iter().map(|e| (e.id.as_str(), e.title.as_str(), e.active)).collect();
    assert_eq!(shown, [(HOME, "Eve, home", true), ("/eve/work/", "Eve, work", false)]);
    let event_type = world.offer(Some(connection.id), Some(HOME)).await;
    Some(Scene { world, connection: connection.id, radicale, proxy, event_type })
}

fn credentials() -> Credentials {
    Credentials::from([("login".to_owned(), Secret::new(LOGIN.to_owned()))])
}

fn at(clock: &str) -> Instant {
    format!("2026-12-01T{clock}:00Z").parse().unwrap()
}

fn within(from: &str, to: &str) -> Interval {
    Interval::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
}

impl Scene {
    fn request(&self, start: Instant) -> BookRequest {
        BookRequest {
            attendee: Attendee {
                name: "Ada Nowak; Müller".to_owned(),
                email: Some("ada@example.com".to_owned()),
                phone: None,
                time_zone: "Europe/Warsaw".to_owned(),
                language: None,
            },
            notes: Some("By bike,\nwith a dog".to_owned()),
            ..berth_tests::request(self.event_type.id, start)
        }
    }

    /// Every event of the calendar, as the server shows it to a person's program.
    async fn events(&self) -> Vec<String> {
        let query = r#"<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>"#;
        let (_, answer) = self.radicale.ask("REPORT", HOME, query).await;
        answer.split("BEGIN:VEVENT").skip(1).map(str::to_owned).collect()
    }

    /// Let the worker try again what is waiting.
    async fn later(&self) {
        self.world.clock.advance_ms(LATER_MS);
        self.world.engine.jobs.run_due_jobs(10).await.unwrap();
    }

    /// Keep the connection in step once, and see how the booking stands.
    async fn synced(&self, booking: BookingId) -> Booking {
        let (engine, caller) = (&self.world.engine, &self.world.caller);
        engine.mirror.start_sync(caller, self.connection, false).await.unwrap();
        engine.jobs.run_due_jobs(10).await.unwrap();
        let status = engine.mirror.sync_status(caller, self.connection).await.unwrap();
        assert_eq!((status.state.error, status.open_conflicts), (None, 0));
        engine.bookings.booking(caller, booking).await.unwrap()
    }

    /// A call of the component as the engine makes them.
    fn call(&self, number: u128) -> CallContext {
        let host = self.proxy.url().trim_start_matches("http://").to_owned();
        CallContext {
            tenant: self.world.caller.tenant,
            listing: None,
            connection: ConnectionId::from_uuid(Uuid::from_u128(1)),
            plugin: "caldav".parse().unwrap(),
            call: ProviderCallId::from_uuid(Uuid::from_u128(number)),
            request_id: "request-test".to_owned(),
            settings: Arc::new(self.settings()),
            credentials: Arc::new(credentials()),
            granted_hosts: Arc::new(BTreeSet::from([host])),
            asked: Asked::default(),
            in_background: false,
            despite_state: false,
        }
    }

    fn settings(&self) -> Value {
        json!({ "base_url": self.proxy.url(), "calendar": HOME, "cancelled_events": "delete", "title": "{name}", "tentative_is_busy": true, "time_zone": "" })
    }
}

fn has_line(event: &str, line: &str) -> bool {
    event.lines().any(|found| found.trim_end() == line)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_an_event_for_as_long_as_it_stands() {
    let Some(scene) = scene("a booking in a real calendar").await else { return };
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    let made = engine.bookings.book(caller, scene.request(at("09:00"))).await.unwrap().booking;
    assert_eq!(made.status, BookingStatus::Confirmed);
    let events = scene.events().await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    for line in [
        &format!("UID:{}@berth", made.id),
        "DTSTART:20261201T090000Z",
        "DTEND:20261201T093000Z",
        "SUMMARY:Booking: Ada Nowak\\; Müller",
        "SEQUENCE:0",
    ] {
        assert!(has_line(event, line), "{line} is not in {event}");
    }

    let change = RescheduleBooking { start: at("14:00"), expected_sequence: None, bound_by_cutoffs: false };
    let moved = engine.bookings.reschedule(caller, made.id, change).await.unwrap().booking;
    assert_eq!((moved.status, moved.when.start()), (BookingStatus::Confirmed, at("14:00")));
    let events = scene.events().await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert!(has_line(event, "DTSTART:20261201T140000Z") && has_line(event, "SEQUENCE:1"), "{event}");

    let change = CancelBooking { reason: None, expected_sequence: None, bound_by_cutoffs: false };
    let cancelled = engine.bookings.cancel(caller, made.id, change).await.unwrap();
    assert_eq!((cancelled.booking.status, cancelled.pending), (BookingStatus::Cancelled, false));
    assert!(scene.events().await.is_empty(), "the event is gone with its booking");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_not_in_its_own_way() {
    let Some(scene) = scene("a move over its own time in a real calendar").await else { return };
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    let quarters = EventTypePatch { slot_interval_minutes: Some(Some(15)), ..EventTypePatch::default() };
    engine.catalog.update_event_type(caller, scene.event_type.id, quarters, None).await.unwrap();
    // Right before it another one: a server that counts would join the two.
    engine.bookings.book(caller, scene.request(at("08:30"))).await.unwrap();
    let made = engine.bookings.book(caller, scene.request(at("09:00"))).await.unwrap().booking;
    let change = RescheduleBooking { start: at("09:15"), expected_sequence: None, bound_by_cutoffs: false };
    let moved = engine.bookings.reschedule(caller, made.id, change).await.unwrap().booking;
    assert_eq!((moved.status, moved.when.start()), (BookingStatus::Confirmed, at("09:15")));
    assert_eq!(scene.events().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_leads_to_one_event() {
    let Some(scene) = scene("lost answers of a real calendar").await else { return };
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    scene.proxy.fault("PUT", Fault::DropAfter);
    let made = engine.bookings.book(caller, scene.request(at("09:00"))).await.unwrap();
    assert!(made.pending, "nobody knows what happened");
    scene.later().await;
    let booking = engine.bookings.booking(caller, made.booking.id).await.unwrap();
    assert_eq!(booking.status, BookingStatus::Confirmed);
    assert_eq!(scene.events().await.len(), 1);

    scene.proxy.fault("PUT", Fault::DropAfter);
    let change = RescheduleBooking { start: at("14:00"), expected_sequence: None, bound_by_cutoffs: false };
    assert!(engine.bookings.reschedule(caller, booking.id, change).await.unwrap().pending);
    scene.later().await;
    let moved = engine.bookings.booking(caller, booking.id).await.unwrap();
    assert_eq!(
        (moved.status, moved.provider_task, moved.when.start()),
        (BookingStatus::Confirmed, None, at("14:00"))
    );
    let events = scene.events().await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert!(
        has_line(event, "DTSTART:20261201T140000Z") && has_line(event, "SEQUENCE:1"),
        "moved once: {event}"
    );

    scene.proxy.fault("DELETE", Fault::DropAfter);
    let change = CancelBooking { reason: None, expected_sequence: None, bound_by_cutoffs: false };
    assert!(engine.bookings.cancel(caller, booking.id, change).await.unwrap().pending);
    scene.later().await;
    let gone = engine.bookings.booking(caller, booking.id).await.unwrap();
    assert_eq!((gone.status, gone.provider_task), (BookingStatus::Cancelled, None));
    assert!(scene.events().await.is_empty());
}

async fn changes(scene: &Scene, cursor: Option<String>, number: u128) -> (Vec<ExternalBooking>, String) {
    let page = scene.world.runtime.list_changes(&scene.call(number), cursor, 50).await.unwrap();
    assert!(!page.more);
    (page.items, page.cursor)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_does_in_the_calendar_is_told() {
    let Some(scene) = scene("changes in a real calendar").await else { return };
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    let made = engine.bookings.book(caller, scene.request(at("09:00"))).await.unwrap().booking;
    let (first, cursor) = changes(&scene, None, 1).await;
    assert_eq!(first.iter().map(|b| b.reference.clone()).collect::<Vec<_>>(), [Some(made.id.to_string())]);

    let path = made.external_id.clone().unwrap();
    let lines = "DTSTART;TZID=Europe/Warsaw:20261202T113000\r\nDURATION:PT30M\r\nSEQUENCE:1\r\nSUMMARY:moved";
    let (status, _) = scene.radicale.ask("PUT", &path, &object(&format!("{}@berth", made.id), lines)).await;
    assert!(status.is_success(), "{status}");
    let (second, cursor) = changes(&scene, Some(cursor), 2).await;
    let [moved] = second.as_slice() else { panic!("{second:?}") };
    let expected = within("2026-12-02T10:30:00Z", "2026-12-02T11:00:00Z");
    assert_eq!(
        (moved.id.as_str(), moved.when, moved.status),
        (path.as_str(), expected, ExternalStatus::Confirmed)
    );

    let (status, _) = scene.radicale.ask("DELETE", &path, "").await;
    assert!(status.is_success(), "{status}");
    let (third, cursor) = changes(&scene, Some(cursor), 3).await;
    let [gone] = third.as_slice() else { panic!("{third:?}") };
    assert_eq!((gone.id.as_str(), gone.status), (path.as_str(), ExternalStatus::Cancelled));
    assert!(changes(&scene, Some(cursor), 4).await.0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_times_are_the_same_whoever_counts_them() {
    let Some(scene) = scene("busy times of a real calendar").await else { return };
    // Over a change of clocks, with one that was moved and one that was taken out; what is free; the other calendar.
    let series = "DTSTART;TZID=Europe/Warsaw:20270326T100000\r\nDTEND;TZID=Europe/Warsaw:20270326T110000\r\nRRULE:FREQ=DAILY;COUNT=5\r\nEXDATE;TZID=Europe/Warsaw:20270327T100000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20261123T070000Z\r\nRECURRENCE-ID;TZID=Europe/Warsaw:20270329T100000\r\nDTSTART;TZID=Europe/Warsaw:20270329T150000\r\nDURATION:PT45M";
    let free = "DTSTART:20270326T120000Z\r\nDURATION:PT1H\r\nTRANSP:TRANSPARENT";
    let cancelled = "DTSTART:20270326T140000Z\r\nDURATION:PT1H\r\nSTATUS:CANCELLED";
    let tentative = "DTSTART:20270326T160000Z\r\nDURATION:PT1H\r\nSTATUS:TENTATIVE";
    for (path, uid, lines) in [
        ("/eve/home/series.ics", "series", series),
        ("/eve/home/free.ics", "free", free),
        ("/eve/home/cancelled.ics", "cancelled", cancelled),
        ("/eve/work/tentative.ics", "tentative", tentative),
    ] {
        let (status, answer) = scene.radicale.ask("PUT", path, &object(uid, lines)).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
    }
    // A server counts where it knows when days begin.
    let zone =
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Somebody//EN\r\n{WARSAW}END:VCALENDAR\r\n");
    let property = format!(
        r#"<propertyupdate xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><C:calendar-timezone>{zone}</C:calendar-timezone></prop></set></propertyupdate>"#
    );
    for calendar in [HOME, "/eve/work/"] {
        let (status, answer) = scene.radicale.ask("PROPPATCH", calendar, &property).await;
        assert!(status.is_success() && !answer.contains("403"), "{calendar}: {status} {answer}");
    }
    let query = BusyQuery {
        within: within("2027-03-26T00:00:00Z", "2027-04-02T00:00:00Z"),
        calendars: Vec::new(),
        time_zone: "Europe/Warsaw".to_owned(),
    };
    let busy_of = async |number: u128, booked: &str| {
        let mut call = scene.call(number);
        let mut settings = scene.settings();
        settings["calendar"] = booked.into();
        call.settings = Arc::new(settings);
        scene.world.runtime.busy(&call, query.clone()).await.unwrap()
    };
    let counted = busy_of(1, "/eve/work/").await;
    let shown: Vec<_> = counted
        .iter()
        .map(|b| format!("{} {}", b.when.start(), b.source.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(
        shown,
        [
            "2027-03-26T09:00:00Z /eve/home/",
            "2027-03-26T16:00:00Z /eve/work/",
            "2027-03-28T08:00:00Z /eve/home/",
            "2027-03-29T13:00:00Z /eve/home/",
            "2027-03-30T08:00:00Z /eve/home/",
        ]
    );
    assert_eq!(busy_of(2, HOME).await, counted, "the other way round");
    scene.proxy.hide_counting();
    let single = busy_of(3, HOME).await;
    assert_eq!(single, counted, "from single events");
}

/// Busy times of the account, `HH:MM` and minutes, in this stretch.
async fn busy(scene: &Scene, number: u128, from: &str, to: &str, zone: &str) -> Vec<String> {
    let query = BusyQuery { within: within(from, to), calendars: Vec::new(), time_zone: zone.to_owned() };
    let all = scene.world.runtime.busy(&scene.call(number), query).await.unwrap();
    let shown = |b: &berth_model::outbound::provider::ExternalBusyTime| {
        let minutes = b.when.end().micros_since(b.when.start()) / 60_000_000;
        format!("{} {minutes}", &b.when.start().to_string()[5..16])
    };
    all.iter().map(shown).collect()
}

async fn put(scene: &Scene, name: &str, object: &str) {
    let (status, answer) = scene.radicale.ask("PUT", &format!("{HOME}{name}.ics"), object).await;
    assert!(status.is_success(), "{name}: {status} {answer}");
}

/// An object that defines no zone.
fn bare(uid: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_closes_more_than_its_own_time() {
    let Some(scene) = scene("odd events of a real calendar").await else { return };
    for (name, lines) in [
        (
            "windows",
            "DTSTART;TZID=Eastern Standard Time:20261215T100000\r\nDTEND;TZID=Eastern Standard Time:20261215T110000",
        ),
        ("nowhere", "DTSTART;TZID=Mars:20261215T100000\r\nDTEND;TZID=Mars:20261215T110000"),
        ("length", "DTSTART:20261215T090000Z\r\nDURATION:PT0S\r\nSUMMARY:none"),
        (
            "declined",
            "DTSTART:20261215T120000Z\r\nDURATION:PT1H\r\nATTENDEE;PARTSTAT=DECLINED:mailto:eve@example.com",
        ),
        ("trip", "DTSTART;TZID=America/New_York:20271106T120000\r\nDURATION:P1D"),
        ("day", "DTSTART;VALUE=DATE:20271107"),
        ("series", "DTSTART;TZID=Europe/Warsaw:20270326T120000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=4"),
    ] {
        put(&scene, name, &bare(name, lines)).await;
    }
    let december = busy(&scene, 1, "2026-12-14T00:00:00Z", "2026-12-17T00:00:00Z", "UTC").await;
    assert_eq!(december, ["12-15T15:00 60"]);
    // Warsaw's clocks go forward on the 28th, which the server does not know.
    let march = busy(&scene, 2, "2027-03-25T00:00:00Z", "2027-04-02T00:00:00Z", "UTC").await;
    assert_eq!(march, ["03-26T11:00 60", "03-27T11:00 60", "03-28T10:00 60", "03-29T10:00 60"]);
    let november = busy(&scene, 3, "2027-11-05T00:00:00Z", "2027-11-10T00:00:00Z", "America/New_York").await;
    assert_eq!(november, ["11-06T16:00 1500", "11-07T04:00 1500"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_attachment_stops_neither_busy_times_nor_the_synchronisation() {
    let Some(scene) = scene("attachments in a real calendar").await else { return };
    let (_, cursor) = changes(&scene, None, 1).await;
    let attachment = "QUJD".repeat(5 * 1024 * 1024 / 4);
    let large = format!(
        "DTSTART:20261215T090000Z\r\nDURATION:PT1H\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:{attachment}"
    );
    put(&scene, "large", &bare("large", &large)).await;
    put(&scene, "small", &bare("small", "DTSTART:20261215T120000Z\r\nDURATION:PT1H")).await;
    let december = busy(&scene, 2, "2026-12-14T00:00:00Z", "2026-12-17T00:00:00Z", "UTC").await;
    assert_eq!(december, ["12-15T09:00 60", "12-15T12:00 60"]);
    let (told, cursor) = changes(&scene, Some(cursor), 3).await;
    assert!(told.iter().any(|booking| booking.id == format!("{HOME}small.ics")), "{told:?}");
    assert!(changes(&scene, Some(cursor), 4).await.0.is_empty(), "it goes on after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_follows_its_event() {
    let Some(scene) = scene("a booking that follows a real calendar").await else { return };
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    let made = engine.bookings.book(caller, scene.request(at("09:00"))).await.unwrap().booking;
    // Others write into the calendar as well, what concerns nobody's booking and what takes no time.
    for (name, lines) in [
        ("private", "DTSTART:20261203T090000Z\r\nDURATION:PT1H\r\nSUMMARY:dentist"),
        ("note", "DTSTART;VALUE=DATE:20261201\r\nSUMMARY:birthday\r\nTRANSP:TRANSPARENT"),
        ("series", "DTSTART:20261101T170000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY"),
    ] {
        let (status, answer) =
            scene.radicale.ask("PUT", &format!("{HOME}{name}.ics"), &object(name, lines)).await;
        assert!(status.is_success(), "{name}: {status} {answer}");
    }
    let first = scene.synced(made.id).await;
    assert_eq!((first.status, first.when), (made.status, made.when));

    let path = made.external_id.clone().unwrap();
    let lines = "DTSTART;TZID=Europe/Warsaw:20261202T113000\r\nDURATION:PT30M\r\nSEQUENCE:1\r\nSUMMARY:moved";
    let (status, _) = scene.radicale.ask("PUT", &path, &object(&format!("{}@berth", made.id), lines)).await;
    assert!(status.is_success(), "{status}");
    let moved = scene.synced(made.id).await;
    assert_eq!(
        (moved.status, moved.when),
        (BookingStatus::Confirmed, within("2026-12-02T10:30:00Z", "2026-12-02T11:00:00Z"))
    );

    let (status, _) = scene.radicale.ask("DELETE", &path, "").await;
    assert!(status.is_success(), "{status}");
    assert_eq!(scene.synced(made.id).await.status, BookingStatus::Cancelled);
}
