//! Storms: hundreds of customers who race, on SQLite and PostgreSQL. Exactly the capacity wins, the others are told 409, nobody anything
//! else.

use std::{collections::BTreeMap, sync::Arc};

use berth_engine::{
    BookOutcome, BookRequest, Engine, EventTypePatch, HoldClaim, HoldRequest, NewEventType, NewListing,
    NewMember, Outcome, RescheduleBooking,
};
use berth_model::{
    catalog::{
        event_type::{EventTypePolicy, EventTypeRecord},
        member::{MemberRole, RoundRobinShare},
    },
    id::MemberId,
    outbound::provider::Attendee,
    problem::Code,
    scheduling::rules::{Strategy, TeamMode},
    time::Instant,
    zone::Zone,
};
use berth_store::{Store, VaultKeys, records::BookingFilter};
use berth_tests::{Seeded, TestClock, World};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor};

/// Customers in one race.
const CUSTOMERS: usize = 200;

/// Run a storm on SQLite, and on PostgreSQL if there is a server.
macro_rules! storms {
    ($($name:ident),* $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            storm::$name(World::new(11, TestClock::start(), &[]).await).await;
            let Ok(server) = std::env::var("BERTH_TEST_PG_URL") else {
                println!("SKIPPED: {} on PostgreSQL: BERTH_TEST_PG_URL is not set", stringify!($name));
                return;
            };
            let name = format!("berth_storm_{}_{}", stringify!($name), std::process::id());
            let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
            admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
            let (base, _) = server.rsplit_once('/').unwrap();
            let random = Arc::new(Seeded::new(11));
            let keys = VaultKeys::new(vec![("test".to_owned(), [7; 32])]).unwrap();
            let store = Store::open(&format!("{base}/{name}"), keys, random.clone()).await.unwrap();
            store.migrate().await.unwrap();
            storm::$name(World::over(store.clone(), TestClock::start(), random).await).await;
            store.close().await;
            admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
        }
    )* };
}

storms!(
    one_place_has_one_winner,
    a_seat_pool_is_filled_exactly,
    one_person_in_two_listings_is_one_person,
    moves_into_one_anothers_places_never_overlap,
    a_hold_that_expires_under_load_frees_its_place_once,
    round_robin_shares_follow_the_weights,
);

fn request(event_type: &EventTypeRecord, start: Instant, n: usize) -> BookRequest {
    BookRequest {
        attendee: Attendee {
            name: format!("Customer {n}"),
            email: Some(format!("c{n}@example.com")),
            phone: None,
            time_zone: "UTC".to_owned(),
            language: None,
        },
        ..berth_tests::request(event_type.id, start)
    }
}

fn at(text: &str) -> Instant {
    format!("2026-12-01T{text}:00Z").parse().unwrap()
}

/// All at once. How many won; the others must have been told that the time is not available.
async fn race(world: &World, requests: Vec<BookRequest>) -> Vec<BookOutcome> {
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let (engine, caller): (Engine, _) = (world.engine.clone(), world.caller.clone());
            tokio::spawn(async move { engine.bookings.book(&caller, request).await })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(outcome) => won.push(outcome),
            Err(problem) => assert_eq!(problem.code, Code::SlotTaken, "{problem:?}"),
        }
    }
    won
}

async fn policy(world: &World, event_type: &EventTypeRecord, policy: EventTypePolicy) -> EventTypeRecord {
    let patch = EventTypePatch { policy: Some(policy), ..EventTypePatch::default() };
    world.engine.catalog.update_event_type(&world.caller, event_type.id, patch, None).await.unwrap()
}

async fn member(world: &World, name: &str, turns: RoundRobinShare) -> MemberId {
    let hours = json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "start": "00:00", "end": "24:00" }]);
    let new = NewMember {
        name: name.to_owned(),
        email: None,
        user_id: None,
        time_zone: Zone::UTC,
        schedule: None,
        weekly_hours: serde_json::from_value(hours).unwrap(),
        role: MemberRole::Member,
        turns,
    };
    world.engine.catalog.create_member(&world.caller, new).await.unwrap().id
}

mod storm {
    use super::*;

    pub async fn one_place_has_one_winner(world: World) {
        let event_type = world.offer(None, None).await;
        let requests = (0..CUSTOMERS).map(|n| request(&event_type, at("09:00"), n)).collect();
        assert_eq!(race(&world, requests).await.len(), 1);
        // The refusal names the nearest times that are left.
        let refused = world
            .engine
            .bookings
            .book(&world.caller, request(&event_type, at("09:00"), 0))
            .await
            .unwrap_err();
        assert_eq!(refused.extra["alternatives"][0], json!(at("08:30")));
    }

    pub async fn a_seat_pool_is_filled_exactly(world: World) {
        let event_type = world.offer(None, None).await;
        let event_type =
            policy(&world, &event_type, EventTypePolicy { seats: 7, ..EventTypePolicy::default() }).await;
        let requests = (0..CUSTOMERS).map(|n| request(&event_type, at("09:00"), n)).collect();
        let won = race(&world, requests).await;
        assert_eq!(won.len(), 7);
    }

    pub async fn one_person_in_two_listings_is_one_person(world: World) {
        let first = world.offer(None, None).await;
        let listing = NewListing {
            slug: "branch".to_owned(),
            title: "Branch".to_owned(),
            description: String::new(),
            time_zone: Zone::UTC,
            currency: None,
            booking_provider: None,
            offer_when_degraded: true,
        };
        let listing = world.engine.catalog.create_listing(&world.caller, listing).await.unwrap();
        let second = NewEventType {
            listing: listing.id,
            slug: "visit".to_owned(),
            title: "Visit".to_owned(),
            description: String::new(),
            length_minutes: 45,
            slot_interval_minutes: Some(15),
            buffer_before_minutes: 10,
            buffer_after_minutes: 0,
            minimum_notice_minutes: 0,
            booking_window_days: 700,
            members: first.members.clone(),
            policy: EventTypePolicy::default(),
            external_id: None,
            external: None,
        };
        let second = world.engine.catalog.create_event_type(&world.caller, second).await.unwrap();
        let requests =
            (0..CUSTOMERS)
                .map(|n| {
                    if n % 2 == 0 {
                        request(&first, at("09:00"), n)
                    } else {
                        request(&second, at("09:15"), n)
                    }
                })
                .collect();
        assert_eq!(race(&world, requests).await.len(), 1);
    }

    pub async fn moves_into_one_anothers_places_never_overlap(world: World) {
        let event_type = world.offer(None, None).await;
        let starts: Vec<Instant> = ["09:00", "09:30", "10:00", "10:30"].map(at).to_vec();
        let mut bookings = Vec::new();
        for (n, start) in starts.iter().take(3).enumerate() {
            let made =
                world.engine.bookings.book(&world.caller, request(&event_type, *start, n)).await.unwrap();
            bookings.push(made.booking.id);
        }
        let tasks: Vec<_> = (0..CUSTOMERS)
            .map(|n| {
                let (engine, caller) = (world.engine.clone(), world.caller.clone());
                let (id, start) = (bookings[n % 3], starts[(n / 3) % 4]);
                tokio::spawn(async move {
                    let to = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
                    engine.bookings.reschedule(&caller, id, to).await
                })
            })
            .collect();
        for task in tasks {
            let moved: Outcome<BookOutcome> = task.await.unwrap();
            if let Err(problem) = moved {
                assert!(
                    matches!(problem.code, Code::SlotTaken | Code::WrongState | Code::Changed),
                    "{problem:?}"
                );
            }
        }
        let kept =
            world.store.list_bookings(world.caller.tenant, BookingFilter::default(), 10).await.unwrap();
        let mut held: Vec<Instant> = kept.iter().map(|b| b.when.start()).collect();
        held.sort_unstable();
        held.dedup();
        assert_eq!(held.len(), 3, "three bookings, three places");
        assert!(held.iter().all(|start| starts.contains(start)));
    }

    pub async fn a_hold_that_expires_under_load_frees_its_place_once(world: World) {
        let event_type = world.offer(None, None).await;
        let hold = HoldRequest {
            event_type: event_type.id,
            start: at("09:00"),
            length_minutes: None,
            member: None,
            token: None,
            seconds: Some(60),
        };
        let (hold, token) = world.engine.bookings.hold(&world.caller, hold).await.unwrap();
        let requests = || (0..CUSTOMERS / 2).map(|n| request(&event_type, at("09:00"), n)).collect();
        assert!(race(&world, requests()).await.is_empty(), "nobody gets a place that is held");
        world.clock.advance_ms(60_000);
        // Its holder is one of the racers now: what expires now is over.
        let mut all: Vec<BookRequest> = requests();
        let claim = HoldClaim { id: hold.id, token };
        let late = world
            .engine
            .bookings
            .book(&world.caller, BookRequest { hold: Some(claim), ..request(&event_type, at("09:00"), 0) });
        assert_eq!(late.await.unwrap_err().code, Code::HoldExpired);
        all.truncate(CUSTOMERS / 2);
        assert_eq!(race(&world, all).await.len(), 1);
    }

    pub async fn round_robin_shares_follow_the_weights(world: World) {
        let event_type = world.offer(None, None).await;
        let mut members = Vec::new();
        for (name, weight) in [("one", 100), ("two", 200), ("three", 300)] {
            members
                .push(member(&world, name, RoundRobinShare { weight, ..RoundRobinShare::default() }).await);
        }
        let patch = EventTypePatch {
            members: Some(members.clone()),
            policy: Some(EventTypePolicy {
                team_mode: TeamMode::RoundRobin,
                strategy: Strategy::WeightedShortfallThenPriorityThenLru,
                ..EventTypePolicy::default()
            }),
            ..EventTypePatch::default()
        };
        let event_type =
            world.engine.catalog.update_event_type(&world.caller, event_type.id, patch, None).await.unwrap();
        let mut given: BTreeMap<MemberId, usize> = BTreeMap::new();
        for n in 0..60 {
            world.clock.advance_ms(1_000);
            let start = at("00:00").plus_minutes(30 * i64::try_from(n).unwrap());
            let made =
                world.engine.bookings.book(&world.caller, request(&event_type, start, n)).await.unwrap();
            *given.entry(made.booking.member).or_default() += 1;
            let why = made.booking.assignment.unwrap();
            assert_eq!(why["strategy"], "weighted_shortfall_then_priority_then_lru");
        }
        let shares: Vec<usize> = members.iter().map(|m| given[m]).collect();
        assert_eq!(shares, [10, 20, 30]);
    }
}
