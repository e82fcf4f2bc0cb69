//! A published calendar as a member's busy times: the real component in its sandbox against a web server, and what goes wrong there.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use berth_engine::{AvailabilityAnswer, AvailabilityQuery, NewCalendar, NewConnection};
use berth_model::{
    catalog::event_type::EventTypeRecord,
    connections::secret::{Credentials, Secret},
    id::ConnectionId,
    problem::{Code, Problem},
    time::{Instant, Interval},
    zone::Zone,
};
use berth_runtime::RuntimeLimits;
use berth_simulators::published::{PATH, Publisher, Trouble};
use berth_tests::{Means, TestClock, World, component};
use serde_json::json;

const PLUGIN: &str = "ics-feed";
/// Longer than an answer is remembered, in milliseconds.
const LATER_MS: i64 = 300_000;
/// 24 November 2026 is a Tuesday.
const WEEKLY: &str = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Warsaw:20261006T110000\r\nDURATION:PT30M\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n";

struct Scene {
    world: World,
    publisher: Publisher,
    connection: ConnectionId,
    event_type: EventTypeRecord,
}

fn at(clock: &str) -> Instant {
    format!("2026-11-24T{clock}:00Z").parse().unwrap()
}

fn connection(base_url: &str, address: &str) -> NewConnection {
    NewConnection {
        plugin: PLUGIN.parse().unwrap(),
        name: "Eve".to_owned(),
        listing: None,
        settings: json!({ "base_url": base_url }),
        credentials: Credentials::from([("address".to_owned(), Secret::new(address.to_owned()))]),
        granted_hosts: None,
        webhook_sources: None,
    }
}

async fn world_with(publisher: &Publisher, means: Means) -> World {
    let host = publisher.url().trim_start_matches("http://").to_owned();
    let world = World::with(31, TestClock::start(), &[&host], means).await;
    world.install(component(PLUGIN)).await;
    world
}

/// A member who is booked with Berth alone, and whose busy times are published.
async fn scene(means: Means) -> Scene {
    let publisher = Publisher::start(WEEKLY).await.unwrap();
    let world = world_with(&publisher, means).await;
    let new = connection(&publisher.url(), &publisher.address());
    let connection = world.engine.connections.create_connection(&world.caller, new).await.unwrap().id;
    let event_type = world.offer(None, None).await;
    let calendar = NewCalendar {
        member: event_type.members[0],
        connection,
        calendar: "calendar".to_owned(),
        reads: true,
        writes: false,
    };
    let made = world.engine.calendars.create_calendar(&world.caller, calendar).await.unwrap();
    assert_eq!(made.trouble, None);
    Scene { world, publisher, connection, event_type }
}

impl Scene {
    async fn answer(&self) -> AvailabilityAnswer {
        let query = AvailabilityQuery {
            event_type: self.event_type.id,
            within: Interval::new(at("09:00"), at("11:30")).unwrap(),
            time_zone: Zone::UTC,
            length_minutes: None,
            member: None,
            provider: None,
            explain: false,
        };
        self.world.engine.availability.availability(&self.world.caller, query).await.unwrap()
    }

    /// Starts that are offered, on the hour or half past.
    async fn starts(&self) -> Vec<String> {
        let answer = self.answer().await;
        assert!(answer.degraded.is_empty(), "{:?}", answer.degraded);
        answer.slots.iter().map(|slot| slot.when.start().to_string()[11..16].to_owned()).collect()
    }

    async fn book(&self, clock: &str) -> Result<(), Problem> {
        let request = berth_tests::request(self.event_type.id, at(clock));
        self.world.engine.bookings.book(&self.world.caller, request).await.map(drop)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_takes_the_members_time() {
    let scene = scene(Means::default()).await;
    assert_eq!(scene.starts().await, ["09:00", "09:30", "10:30", "11:00"]);
    assert_eq!(scene.book("10:00").await.unwrap_err().code, Code::SlotTaken);
    scene.book("10:30").await.unwrap();
    let asked = scene.publisher.take_asked();
    assert!(asked.iter().all(|(path, _)| path == PATH), "{asked:?}");

    // As long as it is the same, it is not sent again.
    scene.world.clock.advance_ms(LATER_MS);
    assert_eq!(scene.starts().await, ["09:00", "09:30", "11:00"]);
    assert_eq!(scene.publisher.take_asked(), [(PATH.to_owned(), 304)]);

    // One time is moved, and the days of the winter are free.
    let moved = "BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;TZID=Europe/Warsaw:20261124T110000\r\nDTSTART:20261124T090000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n";
    scene.publisher.publish(&format!("{WEEKLY}{moved}"));
    scene.world.clock.advance_ms(LATER_MS);
    assert_eq!(scene.starts().await, ["10:00", "11:00"]);
    assert_eq!(scene.publisher.take_asked(), [(PATH.to_owned(), 200)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_closes_its_own_time_and_is_named_in_the_call() {
    let scene = scene(Means::default()).await;
    let odd = "BEGIN:VEVENT\r\nUID:odd\r\nDTSTART:20261124T110000Z\r\nDURATION:PT\r\nEND:VEVENT\r\n";
    scene.publisher.publish(odd);
    assert_eq!(scene.starts().await, ["09:00", "09:30", "10:00", "10:30"]);
    let calls = scene.world.calls.0.lock().unwrap().clone();
    let said: Vec<_> = calls.iter().filter_map(|call| call.said.as_deref()).collect();
    assert!(said.iter().any(|said| said.contains("the event at line")), "{said:?}");
    assert!(calls.iter().all(|call| call.error.is_none()), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_does_not_answer_is_named_and_hides_its_member() {
    let scene = scene(Means::default()).await;
    for trouble in [Trouble::ServerError, Trouble::HangUp, Trouble::TooLarge, Trouble::Page, Trouble::Moved] {
        // Past what is remembered, and past the pause after a failure.
        scene.world.clock.advance_ms(LATER_MS);
        (0..4).for_each(|_| scene.publisher.trouble(trouble));
        let answer = scene.answer().await;
        let [named] = answer.degraded.as_slice() else { panic!("{trouble:?}: {answer:?}") };
        assert_eq!((named.connection, named.member), (scene.connection, Some(scene.event_type.members[0])));
        let says = match trouble {
            Trouble::TooLarge => "larger than 4 MiB",
            Trouble::Page => "is no calendar",
            Trouble::Moved => "leads to another",
            _ => "",
        };
        assert!(named.reason.contains(says), "{trouble:?}: {}", named.reason);
        // What is over is over.
        scene.publisher.recover();
        scene.world.clock.advance_ms(LATER_MS);
        assert_eq!(scene.starts().await, ["09:00", "09:30", "10:30", "11:00"], "{trouble:?}");
    }
}

/// Threads that leave little of the machine to others, for as long as this is kept.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn machine() -> Self {
        let over = Arc::<AtomicBool>::default();
        for _ in 0..2 * std::thread::available_parallelism().map_or(2, Into::into) {
            let over = over.clone();
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(over)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// As large as an answer may be: ten years of a busy person, and series without end; and on a machine with much else to do, which is not
/// the component's fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_of_four_megabytes_is_read_within_the_limits_of_a_call() {
    let mut limits = RuntimeLimits::default();
    if cfg!(debug_assertions) {
        // A third of it is the host following rules, and here that is not optimised.
        limits.cpu_ticks *= 2;
    }
    let scene = scene(Means { limits, ..Means::default() }).await;
    let _busy = Busy::machine();
    let mut lines = WEEKLY.to_owned();
    for n in 0_i64.. {
        if lines.len() > 4_000_000 {
            break;
        }
        let day = at("00:00").plus_minutes(-n * 60).to_string().replace(['-', ':'], "");
        let more = if n % 50 == 0 { "\r\nRRULE:FREQ=MONTHLY;BYDAY=1SU" } else { "" };
        lines += &format!(
            "BEGIN:VEVENT\r\nUID:old-{n}\r\nSUMMARY:Meeting number {n}\r\nDTSTART:{day}\r\nDURATION:PT30M{more}\r\nDESCRIPTION:{}\r\nEND:VEVENT\r\n",
            "x".repeat(60)
        );
    }
    scene.publisher.publish(&lines);
    scene.world.clock.advance_ms(LATER_MS);
    assert_eq!(scene.starts().await, ["09:00", "09:30", "10:30", "11:00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_by_itself() {
    let limits = RuntimeLimits { wall_ms_availability: 400, ..RuntimeLimits::default() };
    let scene = scene(Means { limits, ..Means::default() }).await;
    scene.world.clock.advance_ms(LATER_MS);
    (0..4).for_each(|_| scene.publisher.trouble(Trouble::Silence));
    let answer = scene.answer().await;
    assert_eq!(answer.degraded.len(), 1, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_the_address() {
    let scene = scene(Means::default()).await;
    scene.publisher.trouble(Trouble::Moved);
    scene.world.clock.advance_ms(LATER_MS);
    let answer = scene.answer().await;
    let (engine, caller) = (&scene.world.engine, &scene.world.caller);
    let shown = engine.connections.connection(caller, scene.connection).await.unwrap();
    let calls = scene.world.calls.0.lock().unwrap().clone();
    assert!(calls.iter().any(|call| !call.egress.is_empty()), "requests were made");
    let kept = scene.world.store.state_get(caller.tenant, scene.connection, "times").await.unwrap();
    let kept = String::from_utf8(kept.unwrap_or_default()).unwrap();
    assert!(kept.contains("etag"), "something is kept: {kept}");
    let told = format!("{answer:?} {shown:?} {calls:?} {kept}");
    for secret in ["private-made-up", "0123456789abcdef", "basic.ics"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_asked_where_the_settings_say_and_nowhere_else() {
    let publisher = Publisher::start(WEEKLY).await.unwrap();
    let world = world_with(&publisher, Means::default()).await;
    for elsewhere in
        ["https://elsewhere.example/private-1a2b.ics", "private-1a2b.ics", "webcal://127.0.0.1/private-1a2b"]
    {
        let new = connection(&publisher.url(), elsewhere);
        let refused = world.engine.connections.create_connection(&world.caller, new).await.unwrap_err();
        assert!(refused.detail.contains("credential"), "{refused:?}");
        assert!(!format!("{refused:?}").contains("1a2b"), "{refused:?}");
    }
    assert_eq!(publisher.take_asked(), []);
    let wrong = format!("{}/private-of-nobody.ics", publisher.url());
    let refused =
        world.engine.connections.create_connection(&world.caller, connection(&publisher.url(), &wrong)).await;
    assert!(refused.is_err());
}
