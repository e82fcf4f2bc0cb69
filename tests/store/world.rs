//! A store of its own for each test, and things to put into it.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        change::BookingChange,
        occupancy::Occupancy,
    },
    catalog::{
        event_type::{EventTypePolicy, EventTypeRecord},
        listing::{ListingRecord, TenantRecord, TenantState},
        member::{MemberRecord, MemberRole, RoundRobinShare},
    },
    connections::{
        connection::{ConnectionRecord, ConnectionState, ConnectionStatus},
        secret::{Credentials, Secret},
    },
    id::{AuditEntryId, BookingId, ConnectionId, EventTypeId, Id, JobId, ListingId, MemberId, TenantId},
    jobs::kind::{JobKind, JobQueue},
    outbound::provider::{Attendee, ExternalBooking, ExternalStatus},
    random::Random,
    tenants::settings::TenantSettings,
    time::{Instant, Interval},
    zone::Zone,
};
use berth_store::{
    Store, VaultKeys,
    records::{Audit, ChangeOrder, Claim, NewBooking, NewJob, OccupancyQuery},
};
use futures_util::FutureExt;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor};

struct Seeded(Mutex<StdRng>);

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

pub fn random() -> Arc<dyn Random> {
    Arc::new(Seeded(Mutex::new(StdRng::seed_from_u64(7))))
}

pub struct World {
    pub store: Store,
    /// The same database as another process sees it, with what it remembers.
    pub viewer: Store,
    pub url: String,
    /// The database's file, on SQLite.
    pub file: Option<std::path::PathBuf>,
    pub random: Arc<dyn Random>,
    clock: AtomicI64,
}

pub fn keys() -> VaultKeys {
    VaultKeys(vec![("first".into(), [1; 32])])
}

async fn open(url: String, file: Option<std::path::PathBuf>) -> World {
    let random = random();
    let store = Store::open(&url, keys(), random.clone()).await.unwrap();
    store.migrate().await.unwrap();
    let viewer = Store::open(&url, keys(), random.clone()).await.unwrap();
    World { store, viewer, url, file, random, clock: AtomicI64::new(NOON.micros()) }
}

/// Run a test on a file of its own.
pub async fn on_sqlite<F>(test: F)
where
    F: AsyncFnOnce(&World),
{
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("berth.db");
    let world = open(format!("sqlite:{}", file.display()), Some(file)).await;
    test(&world).await;
    world.viewer.close().await;
    world.store.close().await;
}

/// Run a test on a database of its own, which is dropped however the test ends.
pub async fn on_postgres<F>(test: F)
where
    F: AsyncFnOnce(&World),
{
    let Ok(server) = std::env::var("BERTH_TEST_PG_URL") else {
        eprintln!("SKIPPED: BERTH_TEST_PG_URL is not set, so nothing is tested on PostgreSQL");
        return;
    };
    let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
    let name = format!("berth_test_{}", uuid::Uuid::from_u128(rand::random()).simple());
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    let result = AssertUnwindSafe(async {
        let world = open(format!("{base}/{name}"), None).await;
        test(&world).await;
        world.viewer.close().await;
        world.store.close().await;
    })
    .catch_unwind()
    .await;
    admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// So many jobs of bookings, whoever's they are.
pub const fn any(most: usize) -> Claim {
    Claim::any(JobQueue::Bookings, most)
}

/// Friday 2026-11-20T12:00:00Z.
pub const NOON: Instant = Instant::from_seconds(1_795_176_000);

/// So many minutes after noon.
pub fn minute(minutes: i64) -> Instant {
    NOON.plus_minutes(minutes)
}

pub fn span(from: i64, to: i64) -> Interval {
    Interval::new(minute(from), minute(to)).unwrap()
}

/// A tenant with a listing, a member, an event type and a connection.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    pub tenant: TenantId,
    pub listing: ListingId,
    pub member: MemberId,
    pub event_type: EventTypeId,
    pub connection: ConnectionId,
}

impl World {
    /// Things to put into this store.
    pub fn of(store: Store, url: &str) -> Self {
        let clock = AtomicI64::new(NOON.micros());
        Self { viewer: store.clone(), store, url: url.to_owned(), file: None, random: random(), clock }
    }

    pub fn id<T>(&self) -> Id<T> {
        Id::new(self.now(), self.random.as_ref())
    }

    /// Each moment is a millisecond after the one before.
    pub fn now(&self) -> Instant {
        Instant::from_micros(self.clock.fetch_add(1_000, Ordering::Relaxed))
    }

    /// In the system's name.
    pub fn audit(&self) -> Audit {
        self.audit_by("system")
    }

    pub fn audit_by(&self, actor: &str) -> Audit {
        Audit {
            id: AuditEntryId::new(self.now(), self.random.as_ref()),
            at: self.now(),
            actor: actor.into(),
            request_id: "req-1".into(),
        }
    }

    pub fn tenant(&self, slug: &str) -> TenantRecord {
        TenantRecord {
            id: self.id(),
            slug: slug.into(),
            name: "Quay".into(),
            default_connection: None,
            state: TenantState::Active,
            settings: TenantSettings::default(),
            revision: 1,
            created_at: self.now(),
        }
    }

    pub fn listing(&self, tenant: TenantId, slug: &str) -> ListingRecord {
        let now = self.now();
        ListingRecord {
            id: self.id(),
            tenant,
            slug: slug.into(),
            title: "Pier 1".into(),
            description: "By the water".into(),
            time_zone: "Europe/Warsaw".parse().unwrap(),
            currency: None,
            booking_provider: None,
            active: true,
            archived_at: None,
            offer_when_degraded: false,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }

    pub fn member(&self, tenant: TenantId) -> MemberRecord {
        let now = self.now();
        MemberRecord {
            id: self.id(),
            tenant,
            name: "Ada".into(),
            email: Some("ada@example.com".into()),
            user_id: None,
            time_zone: Zone::UTC,
            schedule: None,
            weekly_hours: serde_json::from_value(json!([
                { "weekdays": ["Mon", "Fri"], "start": "09:00", "end": "24:00" }
            ]))
            .unwrap(),
            role: MemberRole::Admin,
            turns: RoundRobinShare { weight: 50, ..RoundRobinShare::default() },
            active: true,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }

    pub fn event_type(
        &self,
        tenant: TenantId,
        listing: ListingId,
        slug: &str,
        members: Vec<MemberId>,
    ) -> EventTypeRecord {
        let now = self.now();
        EventTypeRecord {
            id: self.id(),
            tenant,
            listing,
            slug: slug.into(),
            title: "Haircut".into(),
            description: String::new(),
            length_minutes: 30,
            slot_interval_minutes: Some(15),
            buffer_before_minutes: 5,
            buffer_after_minutes: 10,
            minimum_notice_minutes: 60,
            booking_window_days: 30,
            policy: EventTypePolicy::default(),
            members,
            external_id: Some("ext-type".into()),
            external: Vec::new(),
            active: true,
            archived_at: None,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }

    pub fn connection(&self, tenant: TenantId) -> ConnectionRecord {
        let now = self.now();
        ConnectionRecord {
            id: self.id(),
            tenant,
            listing: None,
            plugin: "tide".parse().unwrap(),
            name: "Tide".into(),
            settings: json!({ "calendar": 3 }),
            granted_hosts: Some(["api.example.com".to_owned()].into()),
            state: ConnectionState::Active,
            status: ConnectionStatus::Healthy,
            status_detail: None,
            subscription_detail: None,
            webhook_sources: None,
            account: json!({ "id": "acc", "name": "Quay" }),
            subscription: None,
            credential_names: vec!["api-key".into()],
            webhook_address: 0,
            revision: 1,
            created_at: now,
            updated_at: now,
            reads_busy: true,
            writes_busy: true,
        }
    }

    pub async fn scene(&self, slug: &str) -> Scene {
        let tenant = self.tenant(slug);
        let listing = self.listing(tenant.id, "pier");
        let member = self.member(tenant.id);
        let event_type = self.event_type(tenant.id, listing.id, "cut", vec![member.id]);
        let connection = self.connection(tenant.id);
        let scene = Scene {
            tenant: tenant.id,
            listing: listing.id,
            member: member.id,
            event_type: event_type.id,
            connection: connection.id,
        };
        self.store.create_tenant(tenant, self.audit()).await.unwrap();
        self.store.create_listing(listing, self.audit()).await.unwrap();
        self.store.create_member(member, self.audit()).await.unwrap();
        self.store.create_event_type(event_type, self.audit()).await.unwrap();
        self.store
            .create_connection(connection, credentials("cal_test_not_a_real_key"), self.audit())
            .await
            .unwrap();
        scene
    }

    /// A confirmed booking of the built-in provider, without buffers.
    pub fn booking(&self, scene: &Scene, when: Interval) -> NewBooking {
        let now = self.now();
        let booking = Booking {
            id: self.id(),
            tenant: scene.tenant,
            listing: scene.listing,
            event_type: scene.event_type,
            member: scene.member,
            other_members: Vec::new(),
            seats: 1,
            seats_taken: 1,
            series: None,
            assignment: None,
            connection: None,
            status: BookingStatus::Confirmed,
            provider_task: None,
            when,
            clocks: None,
            customer: None,
            previous_when: None,
            attendee: Attendee {
                name: "Grace".into(),
                email: Some("grace@example.com".into()),
                phone: None,
                time_zone: "Europe/Warsaw".into(),
                language: Some("pl".into()),
            },
            guests: vec!["guest@example.com".into()],
            answers: json!({ "colour": "blue", "count": 2 }).as_object().unwrap().clone(),
            notes: Some("By the window".into()),
            location: None,
            metadata: std::collections::BTreeMap::new(),
            local_changes: Vec::new(),
            undelivered: None,
            reason: None,
            external_id: None,
            external: None,
            external_updated_at: None,
            rescheduled_at: None,
            sequence: 0,
            created_at: now,
            updated_at: now,
        };
        NewBooking {
            booking,
            padded: when,
            job: None,
            limits: Vec::new(),
            hold: None,
            private_link: None,
            idempotency_key: None,
            allow_blocked: false,
            adopts: None,
            consents: Vec::new(),
        }
    }

    /// A pending booking of the scene's connection, its job leased to its maker.
    pub fn pending(&self, scene: &Scene, when: Interval) -> NewBooking {
        let mut new = self.booking(scene, when);
        new.booking.connection = Some(scene.connection);
        new.booking.status = BookingStatus::Pending;
        new.booking.provider_task = Some(ProviderTask::Create);
        new.job = Some(self.leased(scene, new.booking.id));
        new
    }

    pub fn job(&self, tenant: TenantId, key: &str, due_at: Instant) -> NewJob {
        NewJob {
            id: JobId::new(self.now(), self.random.as_ref()),
            tenant,
            kind: JobKind::SyncBooking,
            payload: json!({ "key": key }),
            due_at,
            dedup_key: key.into(),
            leased_until: None,
        }
    }

    /// The job of a booking, leased for a minute.
    pub fn leased(&self, scene: &Scene, booking: BookingId) -> NewJob {
        let job = self.job(scene.tenant, &booking.to_string(), self.now());
        NewJob { leased_until: Some(self.now().plus_seconds(60)), ..job }
    }

    /// What is taken of the scene's member's time, in minutes after noon. Who asks in another process sees the same.
    pub async fn taken(&self, scene: &Scene) -> Vec<(i64, i64)> {
        self.taken_at(scene, NOON).await
    }

    /// The same, by then.
    pub async fn taken_at(&self, scene: &Scene, now: Instant) -> Vec<(i64, i64)> {
        let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
        let taken = self.store.busy_times(scene.tenant, &[scene.member], all, now).await.unwrap();
        let of = OccupancyQuery {
            members: vec![scene.member],
            within: all,
            now,
            event_type: scene.event_type,
            own: None,
        };
        let seen = self.viewer.occupancies(scene.tenant, of).await.unwrap();
        let sorted = |places: &mut dyn Iterator<Item = (Interval, Interval)>| {
            let mut places: Vec<_> = places.collect();
            places.sort_unstable();
            places
        };
        assert_eq!(
            sorted(&mut seen.iter().flat_map(|(_, places)| places).map(|p| (p.padded, p.when))),
            sorted(&mut taken.iter().map(|o| (o.padded, o.when))),
            "another process remembers what is not so"
        );
        let minutes = |at: Instant| at.micros_since(NOON) / 60_000_000;
        taken.iter().map(|o| (minutes(o.padded.start()), minutes(o.padded.end()))).collect()
    }

    /// What was done to a booking.
    pub async fn actions(&self, tenant: TenantId, booking: BookingId) -> Vec<String> {
        let entries = self.store.timeline(tenant, "booking", booking.uuid()).await.unwrap();
        entries.into_iter().map(|entry| entry.action).collect()
    }
}

/// A booking as the provider gives it.
pub fn external_booking(id: &str, when: Interval) -> ExternalBooking {
    ExternalBooking {
        id: id.into(),
        reference: None,
        status: ExternalStatus::Confirmed,
        when,
        event_type: None,
        title: Some("Haircut".into()),
        attendees: Vec::new(),
        location: None,
        cancellation_reason: None,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: Some(minute(1)),
        raw: json!({ "vendor": true }),
    }
}

pub fn credentials(key: &str) -> Credentials {
    Credentials::from([("api-key".into(), Secret::new(key.into()))])
}

/// Do all of these at the same time, on as many tasks.
pub async fn at_once<T, Fut>(work: impl Iterator<Item = Fut>) -> Vec<T>
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = work.map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Moved to another time, with buffers.
pub fn moved_to(when: Interval, padded: Interval, job: Option<NewJob>) -> ChangeOrder {
    let change = BookingChange::Reschedule { occupancy: Occupancy { padded, when }, hosts: None };
    ChangeOrder { change, job, limits: Vec::new() }
}
