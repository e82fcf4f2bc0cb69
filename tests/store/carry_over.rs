//! Migrations on a database that has bookings: each keeps its places and its members, and the overlap rule holds on.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::world::World;

/// The text of a migration.
pub fn migration(engine: &str, name: &str) -> String {
    let path = format!("{}/../migrations/{engine}/{name}.sql", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// A place of so many hours, as it was written before the migration.
fn occupancy(postgres: bool, owner: u128, from: i64, to: i64) -> String {
    let (blob, at) = (blob(postgres), at(postgres));
    let (tenant, member, owner) = (blob(1), blob(2), blob(owner));
    format!(
        "INSERT INTO occupancies (tenant_id, member_id, seat, blocked_start, blocked_end, starts_at, ends_at, owner_kind,
            owner_id) VALUES ({tenant}, {member}, 0, {0}, {1}, {0}, {1}, 'booking', {owner});",
        at(from),
        at(to)
    )
}

/// Ids and hours of a day as each engine writes them.
pub fn blob(postgres: bool) -> impl Fn(u128) -> String {
    move |id| {
        let id = Uuid::from_u128(id);
        if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    }
}

pub fn at(postgres: bool) -> impl Fn(i64) -> String {
    move |hour| {
        if postgres { format!("to_timestamp({})", hour * 3_600) } else { (hour * 3_600_000_000).to_string() }
    }
}

/// Before: two bookings, one of which is being moved and holds both times. After: what must hold, and what must be refused.
fn script(postgres: bool) -> (String, &'static str, String) {
    let engine = if postgres { "postgres" } else { "sqlite" };
    let (blob, at) = (blob(postgres), at(postgres));
    let mut before = migration(engine, "0001_init") + &migration(engine, "0002_policies");
    // Only these two tables matter here: not what their rows refer to.
    before += if postgres { "SET session_replication_role = replica;" } else { "PRAGMA foreign_keys = OFF;" };
    for (id, from) in [(10, 10), (11, 14)] {
        before += &format!(
            "INSERT INTO bookings (tenant_id, id, listing_id, event_type_id, member_id, status, starts_at, ends_at, attendee,
                guests, answers, sequence, created_at, updated_at)
            VALUES ({0}, {1}, {0}, {2}, {0}, 'confirmed', {3}, {4}, '{{}}', '[]', '{{}}', 0, {3}, {3});",
            blob(1),
            blob(id),
            blob(3),
            at(from),
            at(from + 2)
        );
    }
    before += &occupancy(postgres, 10, 10, 12);
    before += &occupancy(postgres, 11, 14, 16);
    before += &occupancy(postgres, 11, 20, 22);
    before += &migration(engine, "0004_life");
    let holds =
        "SELECT COUNT(*), COUNT(DISTINCT session_id), COUNT(DISTINCT event_type_id), COUNT(event_type_id)
        FROM occupancies WHERE expires_at IS NULL";
    let session = if postgres { "gen_random_uuid()" } else { "randomblob(16)" };
    let refused = occupancy(postgres, 12, 21, 23)
        .replace("member_id, seat", "member_id, session_id, seat")
        .replace(", 0, ", &format!(", {session}, 0, "));
    (before, holds, refused)
}

pub async fn places_are_carried_over(world: &World) {
    let postgres = world.store.engine() == "postgres";
    let (before, holds, refused) = script(postgres);
    let counts: (i64, i64, i64, i64);
    let error = if postgres {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(before)).execute(&mut conn).await.unwrap();
        counts = sqlx::query_as(holds).fetch_one(&mut conn).await.unwrap();
        conn.execute(AssertSqlSafe(refused)).await.unwrap_err()
    } else {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(before)).execute(&mut conn).await.unwrap();
        counts = sqlx::query_as(holds).fetch_one(&mut conn).await.unwrap();
        conn.execute(AssertSqlSafe(refused)).await.unwrap_err()
    };
    assert_eq!(counts, (3, 3, 1, 3));
    assert!(error.to_string().contains("occupancies_no_overlap"), "{error}");
}

/// The text of every migration before this one.
pub fn migrations_before(engine: &str, name: &str) -> String {
    let folder = format!("{}/../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> =
        files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    let before = names.iter().take_while(|other| *other != name).map(|name| migration(engine, name));
    // As the program does it.
    let tables_anew = "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON;".to_owned();
    (engine == "sqlite").then_some(tables_anew).into_iter().chain(before).collect()
}

pub async fn members_of_a_booking_are_carried_over(world: &World) {
    let (postgres, name) = (world.store.engine() == "postgres", "0053_booking_members");
    let engine = if postgres { "postgres" } else { "sqlite" };
    let (id, at) = (blob(postgres), at(postgres));
    let mut script = migrations_before(engine, name);
    script += if postgres { "SET session_replication_role = replica;" } else { "PRAGMA foreign_keys = OFF;" };
    let yes = if postgres { "TRUE" } else { "1" };
    for member in 2..6 {
        script += &format!(
            "INSERT INTO members (tenant_id, id, name, time_zone, weekly_hours, active, revision, created_at, updated_at)
            VALUES ({0}, {1}, 'Ada', 'UTC', '[]', {yes}, 1, {2}, {2});",
            id(1),
            id(member),
            at(0),
        );
    }
    // One alone; one with two others, not in the order of their ids; one with somebody who is not there any more.
    for (booking, others) in [(10, vec![]), (11, vec![5, 3]), (12, vec![99, 4])] {
        let others: Vec<Uuid> = others.into_iter().map(Uuid::from_u128).collect();
        script += &format!(
            "INSERT INTO bookings (tenant_id, id, listing_id, event_type_id, member_id, status, starts_at, ends_at, attendee,
                guests, answers, sequence, created_at, updated_at, other_members)
            VALUES ({0}, {1}, {0}, {0}, {2}, 'confirmed', {3}, {4}, '{{}}', '[]', '{{}}', 0, {3}, {3}, '{5}');",
            id(1),
            id(booking),
            id(2),
            at(10),
            at(11),
            serde_json::to_string(&others).unwrap()
        );
    }
    script += &migration(engine, name);
    let counts = "SELECT further_members FROM bookings ORDER BY id";
    let rows = "SELECT booking_id, member_id FROM booking_members ORDER BY booking_id, position";
    let (counts, rows): (Vec<i64>, Vec<(Uuid, Uuid)>) = if postgres {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut conn).await.unwrap();
        let counts = sqlx::query_scalar(counts).fetch_all(&mut conn).await.unwrap();
        (counts, sqlx::query_as(rows).fetch_all(&mut conn).await.unwrap())
    } else {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut conn).await.unwrap();
        let counts = sqlx::query_scalar(counts).fetch_all(&mut conn).await.unwrap();
        (counts, sqlx::query_as(rows).fetch_all(&mut conn).await.unwrap())
    };
    let rows: Vec<(u128, u128)> = rows.into_iter().map(|(b, m)| (b.as_u128(), m.as_u128())).collect();
    assert_eq!((counts, rows), (vec![0, 2, 1], vec![(11, 5), (11, 3), (12, 4)]));
}

/// Migration 0070 makes two tables anew on SQLite: their rows stay, and places are noted as before.
pub async fn rows_of_tables_made_anew_are_carried_over(world: &World) {
    if world.store.engine() == "postgres" {
        return;
    }
    let (id, at, name) = (blob(false), at(false), "0070_spine");
    let (tenant, member, customer) = (id(1), id(2), id(3));
    let place = |hour: i64| {
        occupancy(false, 4, hour, hour + 1).replace("member_id, seat", "member_id, session_id, seat")
    };
    let script = [
        migrations_before("sqlite", name),
        format!(
            "INSERT INTO tenants (id, slug, name, created_at) VALUES ({tenant}, 'quay', 'Quay', 0);
            INSERT INTO members (tenant_id, id, name, time_zone, weekly_hours, active, revision, created_at, updated_at)
                VALUES ({tenant}, {member}, 'Ada', 'UTC', '[]', 1, 1, 0, 0);
            INSERT INTO customers (tenant_id, id, name, revision, created_at, last_seen_at)
                VALUES ({tenant}, {customer}, 'Ida', 1, 0, 0);
            INSERT INTO customer_keys (tenant_id, kind, mac, customer_id)
                VALUES ({tenant}, 'email', x'01', {customer}), ({tenant}, 'phone', x'02', {customer});"
        ),
        place(10).replace(", 0, ", &format!(", {}, 0, ", id(5))),
        migration("sqlite", name),
        format!("UPDATE members SET places_version = 1 WHERE id = {member};"),
        place(12).replace(", 0, ", &format!(", {}, 0, ", id(6))),
    ];
    let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(script.concat())).execute(&mut conn).await.unwrap();
    let noted: Vec<(i64, i64)> =
        sqlx::query_as("SELECT version, starts_at FROM place_changes ORDER BY version")
            .fetch_all(&mut conn)
            .await
            .unwrap();
    assert_eq!(
        noted.iter().map(|(version, at)| (*version, at.to_string())).collect::<Vec<_>>(),
        [(0, at(10)), (1, at(12))]
    );
    let keys: Vec<(String, Vec<u8>)> = sqlx::query_as("SELECT kind, mac FROM customer_keys ORDER BY kind")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(keys, [("email".to_owned(), vec![1]), ("phone".to_owned(), vec![2])]);
    // Still with the customer: gone when they are.
    let gone = format!("PRAGMA foreign_keys = ON; DELETE FROM customers WHERE id = {customer}");
    sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut conn).await.unwrap();
    let left: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM customer_keys").fetch_one(&mut conn).await.unwrap();
    assert_eq!(left, 0);
}
