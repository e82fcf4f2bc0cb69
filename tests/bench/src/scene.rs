//! Something that can be booked, on either database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Instant as Moment,
};

use berth_engine::NewMember;
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    catalog::{
        event_type::EventTypeRecord,
        member::{MemberRole, RoundRobinShare},
    },
    id::{AuditEntryId, BookingId, MemberId},
    outbound::provider::Attendee,
    time::{Instant, Interval},
    zone::Zone,
};
use berth_store::{
    Store, VaultKeys,
    records::{Audit, NewBooking},
};
use berth_tests::{Seeded, World};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// Bookings at the same time.
pub const CLIENTS: usize = 32;
/// Bookings in one round.
pub const BOOKINGS: i64 = 3_200;

/// Something that can be booked: one member for each client, on this database.
pub struct Scene {
    pub store: Store,
    pub event_type: EventTypeRecord,
    pub members: Vec<MemberId>,
    pub world: World,
    next: AtomicI64,
}

impl Scene {
    /// On SQLite in the world's own folder, or elsewhere by URL.
    pub async fn new(url: &str, people: usize) -> Arc<Self> {
        let clock = berth_tests::TestClock::start();
        let random = Arc::new(Seeded::new(7));
        let keys = VaultKeys::new(vec![("bench".to_owned(), [7; 32])]).expect("keys");
        let store = Store::open(url, keys, random.clone()).await.expect("opens");
        store.migrate().await.expect("migrates");
        let world = World::over(store.clone(), clock, random).await;
        let first = world.offer(None, None).await;
        let mut members = first.members.clone();
        for n in 1..people {
            let member = NewMember {
                name: format!("Member {n}"),
                email: None,
                user_id: None,
                time_zone: Zone::UTC,
                schedule: None,
                weekly_hours: world
                    .engine
                    .catalog
                    .member(&world.caller, first.members[0])
                    .await
                    .expect("there")
                    .weekly_hours,
                role: MemberRole::Member,
                turns: RoundRobinShare::default(),
            };
            members.push(world.engine.catalog.create_member(&world.caller, member).await.expect("made").id);
        }
        let patch = berth_engine::EventTypePatch { members: Some(members.clone()), ..Default::default() };
        let event_type = world
            .engine
            .catalog
            .update_event_type(&world.caller, first.id, patch, None)
            .await
            .expect("changed");
        Arc::new(Self { store, event_type, members, world, next: AtomicI64::new(1) })
    }

    /// A key of its tenant.
    pub async fn key(&self) -> String {
        let scopes = vec!["availability:read".to_owned(), "bookings:write".to_owned()];
        let new = berth_engine::NewKey {
            tenant: Some(self.world.caller.tenant),
            name: "bench".to_owned(),
            scopes,
            expires_at: None,
            requests_per_minute: None,
            sources: Vec::new(),
        };
        self.world.engine.tenants.create_key("bench", "bench", new).await.expect("made").1.expose().to_owned()
    }

    /// One that was not there before.
    pub fn id(&self) -> Uuid {
        let n = u128::try_from(self.next.fetch_add(1, Ordering::Relaxed)).expect("counts up");
        // In order, as real ids are.
        Uuid::from_u128((0x0193_0000_0000_7000_8000_0000_0000_0000) | (n << 64 & 0xffff_ffff_0000) | n)
    }

    /// An id, and the head of an audit row.
    pub fn noted(&self) -> (Uuid, Audit) {
        let audit = Audit {
            id: AuditEntryId::from_uuid(self.id()),
            at: Instant::from_seconds(1_780_000_000),
            actor: "key:bench".to_owned(),
            request_id: "bench".to_owned(),
        };
        (self.id(), audit)
    }

    /// A booking of this member.
    pub fn booking(&self, member: MemberId, when: Interval) -> (NewBooking, Audit) {
        let id = BookingId::from_uuid(self.id());
        let now = Instant::from_seconds(1_780_000_000);
        let booking = Booking {
            id,
            tenant: self.event_type.tenant,
            listing: self.event_type.listing,
            event_type: self.event_type.id,
            member,
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
                name: "Ada Nowak".to_owned(),
                email: Some("ada@example.com".to_owned()),
                phone: None,
                time_zone: "Europe/Warsaw".to_owned(),
                language: None,
            },
            guests: Vec::new(),
            answers: serde_json::Map::new(),
            notes: None,
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
        let new = NewBooking {
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
        };
        (new, self.noted().1)
    }

    pub fn slot(&self, n: i64, round: i64) -> Interval {
        Interval::of_minutes(Instant::from_seconds(1_800_000_000 + round * 400_000_000 + n * 1_800), 30)
    }

    /// Bookings per second through the store, by many clients at once: all for one customer, or each for somebody new.
    pub async fn through_the_store(self: &Arc<Self>, round: i64, for_strangers: bool) -> f64 {
        let started = Moment::now();
        let clients = (0..CLIENTS).map(|client| {
            let scene = Arc::clone(self);
            tokio::spawn(async move {
                let each = BOOKINGS / i64::try_from(CLIENTS).expect("small");
                for n in 0..each {
                    let (mut new, audit) = scene.booking(scene.members[client], scene.slot(n, round));
                    if for_strangers {
                        new.booking.attendee.name = format!("Ada {}", scene.id());
                        new.booking.attendee.email = Some(format!("{}@example.com", scene.id()));
                    }
                    scene.store.create_booking(new, audit).await.expect("booked");
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("finished");
        }
        BOOKINGS as f64 / started.elapsed().as_secs_f64()
    }
}

/// A database of its own on this server.
pub async fn fresh_postgres(url: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("bench_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mut conn = PgConnection::connect(url).await.expect("connects");
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut conn)
        .await
        .expect("made");
    let (server, _) = url.rsplit_once('/').expect("a URL");
    format!("{server}/{name}")
}
