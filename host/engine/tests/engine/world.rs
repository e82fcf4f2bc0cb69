//! An engine with a database of its own, a clock that tests move and a provider that they script.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use berth_engine::{
    BookRequest, Caller, CancelBooking, Engine, EngineParts, NewConnection, NewEventType, NewListing,
    NewMember, NewTenant, RescheduleBooking,
};
use berth_model::{
    bookings::booking::Booking,
    catalog::{
        event_type::{EventTypePolicy, EventTypeRecord},
        listing::{ListingRecord, TenantRecord},
        member::{MemberRecord, MemberRole, RoundRobinShare, WeeklyHours},
    },
    connections::{
        connection::ConnectionRecord,
        secret::{Credentials, Secret},
    },
    id::BookingId,
    outbound::provider::Attendee,
    plugins::plugin::HostGrant,
    random::Random,
    time::{Clock, Instant, Interval},
};
use berth_store::{Store, VaultKeys, records::GrantRecord};
use chrono::{NaiveTime, Weekday};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use serde_json::{Map, json};

use crate::{host::FakeHost, provider::Fake, tokens::FakeTokens};

/// A clock that stands but for a microsecond per reading, which keeps the lines of a timeline apart.
pub(crate) struct Moved(AtomicI64);
impl Clock for Moved {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.fetch_add(1, Ordering::SeqCst))
    }
}
impl Moved {
    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

struct Seeded(Mutex<StdRng>);
impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

/// Friday 2026-11-20T12:00:00Z.
pub(crate) const NOON: Instant = Instant::from_seconds(1_795_176_000);

/// A time on Monday, 23 November 2026, in Warsaw (an hour ahead of UTC): `10:00`.
pub(crate) fn monday(clock: &str) -> Instant {
    let utc: Instant = format!("2026-11-23T{clock}:00Z").parse().unwrap();
    utc.plus_minutes(-60)
}

pub(crate) fn half_hour(start: Instant) -> Interval {
    Interval::of_minutes(start, 30)
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) provider: Arc<Fake>,
    pub(crate) tokens: Arc<FakeTokens>,
    pub(crate) host: Arc<FakeHost>,
    pub(crate) clock: Arc<Moved>,
    random: Arc<dyn Random>,
    pub(crate) tenant: TenantRecord,
    pub(crate) caller: Caller,
    pub(crate) ana: MemberRecord,
    pub(crate) listing: ListingRecord,
    pub(crate) event_type: EventTypeRecord,
    pub(crate) connection: ConnectionRecord,
}

pub(crate) fn hours(start: &str, end: &str) -> Vec<WeeklyHours> {
    let time = |t: &str| NaiveTime::parse_from_str(t, "%H:%M").unwrap();
    let weekdays = vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    vec![WeeklyHours { weekdays, start: time(start), end: Some(time(end)) }]
}

pub(crate) fn attendee() -> Attendee {
    Attendee {
        name: "Ada Lovelace".into(),
        email: Some("ada@example.com".into()),
        phone: None,
        time_zone: "Europe/Warsaw".into(),
        language: None,
    }
}

pub(crate) fn grant(hosts: &[&str]) -> HostGrant {
    hosts.iter().map(ToString::to_string).collect()
}

pub(crate) fn new_connection() -> NewConnection {
    let key = Secret::new("acme_test_not_a_real_key".into());
    NewConnection {
        plugin: "acme".parse().unwrap(),
        name: "Acme".into(),
        listing: None,
        settings: json!({}),
        credentials: Credentials::from([("api-key".to_owned(), key)]),
        granted_hosts: None,
        webhook_sources: None,
    }
}

/// A tenant with one member, a listing booked over a connection, and a half-hour event type, weekdays 09:00 to 12:00.
pub(crate) async fn world() -> World {
    let random: Arc<dyn Random> = Arc::new(Seeded(Mutex::new(StdRng::seed_from_u64(11))));
    let clock = Arc::new(Moved(AtomicI64::new(NOON.micros())));
    let keys = VaultKeys(vec![("first".into(), [1; 32])]);
    let store = Store::open("sqlite::memory:", keys, random.clone()).await.unwrap();
    store.migrate().await.unwrap();
    let (provider, host) = (Arc::new(Fake::new()), Arc::new(FakeHost::default()));
    let tokens = Arc::new(FakeTokens::new());
    let engine = Engine::new(EngineParts {
        store,
        providers: provider.clone(),
        token_endpoint: tokens.clone(),
        plugins: host.clone(),
        clock: clock.clone(),
        random: random.clone(),
        public_url: Some("https://booking.example/".into()),
    });

    let granted = GrantRecord {
        plugin: "acme".parse().unwrap(),
        tenant: None,
        listing: None,
        hosts: grant(&["api.acme.example"]),
        enabled: true,
    };
    engine.plugins.set_grant("operator", "req", granted).await.unwrap();
    let tenant = NewTenant { slug: "quay".into(), name: "Quay".into() };
    let tenant = engine.tenants.create_tenant("operator", "req", tenant).await.unwrap();
    let caller = Caller {
        tenant: tenant.id,
        actor: "key:test".into(),
        request_id: "req".into(),
        idempotency_key: None,
    };
    let connection = engine.connections.create_connection(&caller, new_connection()).await.unwrap();
    let ana = member(&engine, &caller, "Ana").await;
    let listing = NewListing {
        slug: "pier-1".into(),
        title: "Pier 1".into(),
        description: String::new(),
        time_zone: "Europe/Warsaw".parse().unwrap(),
        currency: None,
        booking_provider: Some(connection.id),
        offer_when_degraded: false,
    };
    let listing = engine.catalog.create_listing(&caller, listing).await.unwrap();
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
        members: vec![ana.id],
        policy: EventTypePolicy::default(),
        external_id: Some("et-1".into()),
        external: None,
    };
    let event_type = engine.catalog.create_event_type(&caller, event_type).await.unwrap();
    World {
        engine,
        provider,
        tokens,
        host,
        clock,
        random,
        tenant,
        caller,
        ana,
        listing,
        event_type,
        connection,
    }
}

pub(crate) async fn member(engine: &Engine, caller: &Caller, name: &str) -> MemberRecord {
    let member = NewMember {
        name: name.into(),
        email: None,
        user_id: None,
        time_zone: "Europe/Warsaw".parse().unwrap(),
        schedule: None,
        weekly_hours: hours("09:00", "12:00"),
        role: MemberRole::Member,
        turns: RoundRobinShare::default(),
    };
    engine.catalog.create_member(caller, member).await.unwrap()
}

impl World {
    /// Another engine on the same database, as a second replica.
    pub(crate) fn replica(&self) -> Engine {
        Engine::new(EngineParts {
            store: self.engine.store().clone(),
            providers: self.provider.clone(),
            token_endpoint: self.tokens.clone(),
            plugins: self.host.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            public_url: Some("https://booking.example/".into()),
        })
    }

    pub(crate) fn request(&self, start: Instant) -> BookRequest {
        BookRequest {
            event_type: self.event_type.id,
            start,
            length_minutes: None,
            hold: None,
            member: None,
            provider: None,
            attendee: attendee(),
            guests: Vec::new(),
            answers: Map::new(),
            location: None,
            notes: None,
            allow_blocked: false,
            metadata: std::collections::BTreeMap::new(),
            consents: Vec::new(),
        }
    }

    /// Book, and expect that it is settled.
    pub(crate) async fn booked(&self, start: Instant) -> Booking {
        let outcome = self.engine.bookings.book(&self.caller, self.request(start)).await.unwrap();
        assert!(!outcome.pending, "{outcome:?}");
        outcome.booking
    }

    pub(crate) async fn booking(&self, id: BookingId) -> Booking {
        self.engine.bookings.booking(&self.caller, id).await.unwrap()
    }

    pub(crate) async fn cancel(&self, id: BookingId) -> berth_engine::Outcome<berth_engine::BookOutcome> {
        self.engine.bookings.cancel(&self.caller, id, CancelBooking::default()).await
    }

    pub(crate) async fn reschedule(
        &self,
        id: BookingId,
        start: Instant,
    ) -> berth_engine::Outcome<berth_engine::BookOutcome> {
        let to = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
        self.engine.bookings.reschedule(&self.caller, id, to).await
    }

    /// Let time pass and work off what is due.
    pub(crate) async fn later(&self, seconds: i64) -> usize {
        self.clock.pass_seconds(seconds);
        self.engine.jobs.run_due_jobs(10).await.unwrap()
    }

    pub(crate) async fn open_jobs(&self) -> i64 {
        self.engine.store().open_job_count().await.unwrap()
    }

    /// The actions in a booking's timeline, in order.
    pub(crate) async fn timeline(&self, id: BookingId) -> Vec<String> {
        let rows = self.engine.bookings.timeline(&self.caller, id).await.unwrap();
        rows.into_iter().map(|row| row.action).collect()
    }

    /// Nothing is left to do, and both sides have this booking at the same time, once.
    pub(crate) async fn agrees(&self, id: BookingId) {
        let booking = self.booking(id).await;
        let ours = self.provider.active();
        let ours: Vec<_> = ours.iter().filter(|t| t.reference.as_deref() == Some(&id.to_string())).collect();
        assert_eq!(booking.provider_task, None, "{booking:?}");
        assert_eq!(self.open_jobs().await, 0);
        if booking.status.is_active() {
            assert_eq!(ours.len(), 1, "{ours:?}");
            assert_eq!(ours[0].when, booking.when);
            assert_eq!(Some(&ours[0].id), booking.external_id.as_ref());
        } else {
            assert!(ours.is_empty(), "{ours:?}");
        }
    }
}
