//! The statements of one booking with the built-in provider, as the store writes them, and those of a booking without what was added to it.

use berth_model::{
    id::MemberId,
    time::{Instant, Interval},
};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::scene::Scene;

const TOUCH: &str = "UPDATE members SET places_version = places_version + 1 WHERE tenant_id = $1 AND id = $2
    RETURNING EXISTS (SELECT 1 FROM occupancies o WHERE o.tenant_id = members.tenant_id AND o.member_id = members.id
        AND o.expires_at <= $3 AND o.blocked_end > $3 AND o.blocked_start < $4)";
const PLACE: &str = "INSERT INTO occupancies (tenant_id, member_id, session_id, seat, blocked_start, blocked_end, starts_at,
    ends_at, owner_kind, owner_id, event_type_id, expires_at) VALUES ($1, $2, $3, 0, $4, $5, $4, $5, 'booking', $6, $7, NULL)";
const CANDIDATES: &str = "SELECT c.id FROM (
        SELECT kind, customer_id FROM customer_keys WHERE tenant_id = $1 AND kind = 'email' AND mac = $2
        UNION ALL SELECT kind, customer_id FROM customer_keys WHERE tenant_id = $1 AND kind = 'phone' AND mac = $2
        ORDER BY customer_id LIMIT 50) k
    CROSS JOIN customers c WHERE c.tenant_id = $1 AND c.id = k.customer_id ORDER BY c.id";

macro_rules! customer {
    () => {
        "INSERT INTO customers (tenant_id, id, name, email, phone, identity, revision, created_at, last_seen_at)
        VALUES ($1, $2, 'Ada Nowak', 'ada@example.com', NULL, $3, 1, $4, $4)
        ON CONFLICT (tenant_id, identity) DO UPDATE SET last_seen_at = excluded.last_seen_at"
    };
}
macro_rules! keys {
    () => {
        "INSERT INTO customer_keys (tenant_id, kind, mac, customer_id)
        SELECT $1, 'email', $3, made.id FROM made WHERE made.id = $2 ON CONFLICT DO NOTHING"
    };
}
macro_rules! booking {
    () => {
        "INSERT INTO bookings (tenant_id, id, listing_id, event_type_id, member_id, status, starts_at, ends_at,
            attendee, guests, answers, sequence, created_at, updated_at, further_members, seats, customer_id)
        VALUES ($1, $2, $3, $4, $5, 'confirmed', $6, $7, $8, $9, $10, 0, $6, $6, 0, 1, $11)"
    };
}
macro_rules! audit {
    () => {
        "INSERT INTO audit_log (id, tenant_id, at, actor, request_id, action, subject_kind, subject_id, data)
        VALUES ($12, $1, $6, 'key:bench', 'bench', 'booking.created', 'booking', $2, $13)"
    };
}
macro_rules! event {
    () => {
        "INSERT INTO events (tenant_id, id, kind, subject_kind, subject_id, sequence, occurred_at, actor, data)
        VALUES ($1, $14, 'booking.created', 'booking', $2, 0, $6, 'key:bench', $15)"
    };
}

/// What a booking writes besides its place and its row.
#[derive(Clone, Copy)]
pub enum Spine {
    /// Nothing.
    Without,
    /// Event, audit row, and the customer with this address, made if nobody has it.
    With { address: [u8; 32] },
}

impl Spine {
    /// For somebody whom every other booking is for, too.
    pub const KNOWN: Self = Self::With { address: [7; 32] };

    /// For somebody new.
    pub fn stranger(scene: &Scene) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, scene.id().as_bytes());
        Self::With { address: digest.as_ref().try_into().expect("32 bytes") }
    }
}

/// A booking without a customer is written into an index of those whom the background still has to find one for. There would be none.
pub const UNINDEXED: &str = "DROP INDEX IF EXISTS bookings_without_customer";

/// One that writes as the store's does.
pub async fn sqlite(url: &str) -> SqliteConnection {
    let options: sqlx::sqlite::SqliteConnectOptions = url.parse().expect("a URL");
    let options = options
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .busy_timeout(std::time::Duration::from_secs(5))
        .pragma("secure_delete", "ON");
    SqliteConnection::connect_with(&options).await.expect("connects")
}

macro_rules! bare {
    ($name:ident, $connection:ty, $at:expr, $customer:expr, $whole:expr) => {
        /// One booking, in a transaction that is open.
        pub async fn $name(
            conn: &mut $connection,
            scene: &Scene,
            member: MemberId,
            when: Interval,
            spine: Spine,
        ) {
            const CUSTOMER: &str = $customer;
            const WHOLE: &str = $whole;
            let (id, session) = (scene.id(), scene.id());
            let tenant = scene.event_type.tenant.uuid();
            let at = $at;
            let (start, end) = (at(when.start()), at(when.end()));
            let touch = sqlx::query(TOUCH).bind(tenant).bind(member.uuid()).bind(start).bind(end);
            touch.fetch_all(&mut *conn).await.expect("touched");
            let occupancy = sqlx::query(PLACE).bind(tenant).bind(member.uuid()).bind(session);
            let occupancy = occupancy.bind(start).bind(end).bind(id).bind(scene.event_type.id.uuid());
            occupancy.execute(&mut *conn).await.expect("placed");
            let customer = match spine {
                Spine::Without => None,
                Spine::With { address } => {
                    let found = sqlx::query_scalar::<_, Uuid>(CANDIDATES).bind(tenant).bind(&address[..]);
                    let found = found.fetch_all(&mut *conn).await.expect("looked up");
                    match found.first() {
                        Some(customer) => Some(*customer),
                        None => {
                            let new = sqlx::query_scalar::<_, Uuid>(CUSTOMER).bind(tenant).bind(scene.id());
                            let new = new.bind(&address[..]).bind(start);
                            Some(new.fetch_one(&mut *conn).await.expect("made"))
                        }
                    }
                }
            };
            let is_told = customer.is_some();
            let attendee = json!({ "name": "Ada Nowak", "email": "ada@example.com", "phone": null, "time_zone": "Europe/Warsaw", "language": null });
            let booking = sqlx::query(if is_told { WHOLE } else { booking!() });
            let booking = booking.bind(tenant).bind(id).bind(scene.event_type.listing.uuid());
            let booking = booking.bind(scene.event_type.id.uuid()).bind(member.uuid()).bind(start).bind(end);
            let mut booking = booking.bind(attendee).bind(json!([])).bind(json!({})).bind(customer);
            if is_told {
                let noted = json!({ "listing": scene.event_type.listing, "event_type": scene.event_type.id, "member": member,
                    "other_members": [], "assignment": null, "series": null, "connection": null, "when": when,
                    "status": "confirmed", "hold": null, "customer": customer });
                let told = json!({ "change": "created", "by": "tenant", "status": "confirmed", "start": when.start(), "end": when.end(),
                    "member_id": member, "other_member_ids": [], "listing_id": scene.event_type.listing,
                    "event_type_id": scene.event_type.id, "connection_id": null, "series_id": null, "provider_task": null });
                booking = booking.bind(scene.id()).bind(noted).bind(scene.id()).bind(told);
            }
            booking.execute(&mut *conn).await.expect("booked");
        }
    };
}

bare!(
    on_sqlite,
    SqliteConnection,
    |at: Instant| at.micros(),
    concat!(
        customer!(),
        "; WITH made AS (SELECT id FROM customers WHERE tenant_id = $1 AND (id = $2 OR identity = $3)) ",
        keys!(),
        "; SELECT id FROM customers WHERE tenant_id = $1 AND (id = $2 OR identity = $3)"
    ),
    concat!(event!(), "; ", audit!(), "; ", booking!())
);
bare!(
    on_postgres,
    PgConnection,
    |at: Instant| at.to_chrono(),
    concat!("WITH made AS (", customer!(), " RETURNING id), more AS (", keys!(), ") SELECT id FROM made"),
    concat!("WITH one AS (", event!(), "), two AS (", audit!(), ") ", booking!())
);

/// As many bookings as there are members, at one time, in a transaction with a savepoint for each: as the store's writer does what waits.
pub async fn together(conn: &mut SqliteConnection, scene: &Scene, when: Interval, spine: impl Fn() -> Spine) {
    conn.execute("BEGIN IMMEDIATE").await.expect("begun");
    let mut save = "SAVEPOINT one_write";
    for member in &scene.members {
        sqlx::query(save).execute(&mut *conn).await.expect("saved");
        on_sqlite(conn, scene, *member, when, spine()).await;
        save = "RELEASE one_write; SAVEPOINT one_write";
    }
    conn.execute("COMMIT").await.expect("committed");
}
