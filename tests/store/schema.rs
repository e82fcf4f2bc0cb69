//! The schema: the same on both engines, and what the statements expect.

use std::collections::{BTreeMap, BTreeSet};

use berth_store::{Store, StoreError};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row as _, SqliteConnection};

use crate::world::{World, at_once, keys};

pub async fn every_statement_is_understood(world: &World) {
    world.store.ping().await.unwrap();
    assert_eq!(world.store.prepare_all().await.unwrap(), Vec::<String>::new());
    let empty = Store::open("sqlite::memory:", keys(), world.random.clone()).await.unwrap();
    assert!(!empty.prepare_all().await.unwrap().is_empty(), "without a schema they are refused");
}

pub async fn migrations_run_once(world: &World) {
    assert!(world.store.pending_migrations().await.unwrap().is_empty());
    assert!(world.store.migrate().await.unwrap().is_empty(), "the second time there is nothing to do");
    let fresh = Store::open("sqlite::memory:", keys(), world.random.clone()).await.unwrap();
    let names = fresh.pending_migrations().await.unwrap();
    assert_eq!(names.first().map(String::as_str), Some("0001_init"));
    assert_eq!(fresh.migrate().await.unwrap(), names);
    assert!(fresh.list_tenants().await.unwrap().is_empty(), "a database in memory is whole");

    if world.store.engine() == "postgres" {
        // Replicas that start at the same time on an empty database.
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        assert_eq!(world.store.pending_migrations().await.unwrap(), names);
        let results = at_once((0..4).map(|_| {
            let (url, random) = (world.url.clone(), world.random.clone());
            async move { Store::open(&url, keys(), random).await.unwrap().migrate().await }
        }))
        .await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert!(world.store.list_tenants().await.unwrap().is_empty());
    }

    // A database that a later program has migrated.
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'later', TRUE, ";
    if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute(AssertSqlSafe(format!("{newer} '\\x00', 0)"))).await.unwrap();
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        conn.execute(AssertSqlSafe(format!("{newer} x'00', 0)"))).await.unwrap();
    }
    assert!(matches!(world.store.migrate().await, Err(StoreError::Migrate(_))));
    assert!(matches!(world.store.pending_migrations().await, Err(StoreError::Migrate(_))));
}

/// SQLite's name of each type of PostgreSQL.
const TYPES: [(&str, &str); 7] = [
    ("uuid", "BLOB"),
    ("bytea", "BLOB"),
    ("text", "TEXT"),
    ("jsonb", "TEXT"),
    ("bigint", "INTEGER"),
    ("boolean", "INTEGER"),
    ("timestamp with time zone", "INTEGER"),
];

pub async fn schemas_are_the_same(world: &World) {
    if world.store.engine() != "postgres" {
        // The names of the migrations, at least, can be compared without a server.
        let names = |engine: &str| -> BTreeSet<_> {
            let folder = format!("{}/../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect()
        };
        assert_eq!(names("sqlite"), names("postgres"));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("berth.db").display());
    let store = Store::open(&url, keys(), world.random.clone()).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    let mut sqlite = SqliteConnection::connect(&url).await.unwrap();
    let mut postgres = PgConnection::connect(&world.url).await.unwrap();

    type Columns = BTreeSet<(String, String, bool, String)>;
    let ours: Vec<(String, String, bool, String)> = sqlx::query_as(
        "SELECT m.name, c.name, c.\"notnull\" = 0 AND c.pk = 0, c.type
        FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '_sqlx%'",
    )
    .fetch_all(&mut sqlite)
    .await
    .unwrap();
    let theirs: Vec<(String, String, bool, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, is_nullable = 'YES', data_type::text
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
    )
    .fetch_all(&mut postgres)
    .await
    .unwrap();
    let ours: Columns = ours.into_iter().collect();
    let theirs: Columns = theirs
        .into_iter()
        .map(|(table, column, nullable, kind)| {
            let kind = TYPES.iter().find(|(name, _)| *name == kind).map_or(kind.as_str(), |(_, ours)| ours);
            (table, column, nullable, kind.to_owned())
        })
        .collect();
    assert!(ours.len() > 100, "{}", ours.len());
    assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), Vec::<&_>::new(), "only on SQLite");
    assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), Vec::<&_>::new(), "only on PostgreSQL");

    let ours: Vec<(String, String)> = sqlx::query_as(
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
    )
    .fetch_all(&mut sqlite)
    .await
    .unwrap();
    let theirs: Vec<(String, String)> = sqlx::query_as(
        "SELECT tablename::text, indexname::text FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN (
            SELECT conname FROM pg_constraint) ORDER BY indexname COLLATE \"C\"",
    )
    .fetch_all(&mut postgres)
    .await
    .unwrap();
    assert_eq!(ours, theirs);
    let keys = |tables: BTreeMap<String, Table>| -> Vec<(String, Vec<String>)> {
        tables.into_iter().map(|(name, table)| (name, table.primary)).collect()
    };
    assert_eq!(keys(sqlite_tables(&mut sqlite).await), keys(postgres_tables(&mut postgres).await));
}

/// Tables of the host's own: nothing in them is a tenant's. `tenants` is the list of tenants itself.
const OF_THE_HOST: [&str; 6] =
    ["oauth_clients", "plugin_generation", "plugin_installations", "plugin_versions", "replicas", "tenants"];

/// A table as the database describes it.
#[derive(Debug, Default)]
struct Table {
    columns: BTreeSet<String>,
    /// The columns of the primary key, in its order.
    primary: Vec<String>,
    /// Those of each other index whose rows are told apart by it, whole or in part.
    unique: Vec<Vec<String>>,
}

impl Table {
    /// What is wrong with it by the rules of `migrations/README.md`.
    fn wrong(&self, name: &str) -> Vec<String> {
        let (of_host, has_tenant) = (OF_THE_HOST.contains(&name), self.columns.contains("tenant_id"));
        let first = self.primary.first().map(String::as_str);
        let rules = [
            (self.primary.is_empty(), "has no primary key"),
            (of_host && has_tenant, "is the host's own and has a tenant"),
            (!of_host && !has_tenant, "has no tenant and is not said to be the host's own"),
            (!of_host && first != Some("tenant_id"), "has a primary key that does not begin with its tenant"),
            (self.unique.iter().any(|columns| columns == &["id"]), "has an id that is unique beside its key"),
        ];
        rules.iter().filter(|(is, _)| *is).map(|(_, what)| format!("{name} {what}")).collect()
    }
}

/// Table, column or index, whether it is the primary key, column; in the order of each index.
type Description = (Vec<(String, String)>, Vec<(String, String, bool, String)>);

fn tables((columns, indexes): Description) -> BTreeMap<String, Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for (table, column) in columns {
        tables.entry(table).or_default().columns.insert(column);
    }
    let mut unique: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (table, index, is_primary, column) in indexes {
        if is_primary {
            tables.get_mut(&table).unwrap().primary.push(column);
        } else {
            unique.entry((table, index)).or_default().push(column);
        }
    }
    for ((table, _), columns) in unique {
        tables.get_mut(&table).unwrap().unique.push(columns);
    }
    tables
}

async fn sqlite_tables(conn: &mut SqliteConnection) -> BTreeMap<String, Table> {
    let columns = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '_sqlx%'",
    );
    // A key of one INTEGER column has no index of its own; an index over an expression has a column without a name.
    let indexes = sqlx::query_as(
        "SELECT name, index_name, is_primary, column_name FROM (
            SELECT m.name, '' AS index_name, TRUE AS is_primary, c.name AS column_name, c.pk AS occupancy
            FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk > 0
            UNION ALL
            SELECT m.name, i.name, FALSE, COALESCE(c.name, '()'), c.seqno
            FROM sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c
            WHERE m.type = 'table' AND i.\"unique\" AND i.origin <> 'pk')
        WHERE name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlx%' ORDER BY name, index_name, occupancy",
    );
    tables((columns.fetch_all(&mut *conn).await.unwrap(), indexes.fetch_all(conn).await.unwrap()))
}

async fn postgres_tables(conn: &mut PgConnection) -> BTreeMap<String, Table> {
    let columns = sqlx::query_as(
        "SELECT t.relname::text, a.attname::text FROM pg_class t
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p') AND t.relname NOT LIKE '\\_sqlx%'",
    );
    let indexes = sqlx::query_as(
        "SELECT t.relname::text, i.indexrelid::regclass::text, i.indisprimary, COALESCE(a.attname::text, '()')
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, occupancy)
        LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum AND k.attnum > 0
        WHERE i.indisunique AND t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_sqlx%'
        ORDER BY t.relname, i.indexrelid, k.occupancy",
    );
    tables((columns.fetch_all(&mut *conn).await.unwrap(), indexes.fetch_all(conn).await.unwrap()))
}

/// Everything of a tenant's can be told apart, and moved, by its tenant; on the tables that are there, and on some that must be found.
pub async fn keys_begin_with_the_tenant(world: &World) {
    let bad = [
        ("bad_without_key", "tenant_id TEXT NOT NULL, id TEXT NOT NULL UNIQUE"),
        ("bad_id_first", "tenant_id TEXT NOT NULL, id TEXT PRIMARY KEY"),
        ("bad_id_beside", "tenant_id TEXT NOT NULL, id TEXT NOT NULL UNIQUE, PRIMARY KEY (tenant_id, id)"),
        ("bad_unsaid", "id TEXT PRIMARY KEY"),
    ];
    let found = [
        "bad_id_beside has an id that is unique beside its key",
        "bad_id_first has a primary key that does not begin with its tenant",
        "bad_unsaid has no tenant and is not said to be the host's own",
        "bad_unsaid has a primary key that does not begin with its tenant",
        "bad_without_key has no primary key",
        "bad_without_key has a primary key that does not begin with its tenant",
        "bad_without_key has an id that is unique beside its key",
        "replicas is the host's own and has a tenant",
    ];
    let mut worse: String = bad.map(|(name, columns)| format!("CREATE TABLE {name} ({columns});")).concat();
    worse += "ALTER TABLE replicas ADD COLUMN tenant_id TEXT;";
    let (before, after);
    if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        before = postgres_tables(&mut conn).await;
        conn.execute(AssertSqlSafe(worse)).await.unwrap();
        after = postgres_tables(&mut conn).await;
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        before = sqlite_tables(&mut conn).await;
        conn.execute(AssertSqlSafe(worse)).await.unwrap();
        after = sqlite_tables(&mut conn).await;
    }
    let wrong = |tables: &BTreeMap<String, Table>| -> Vec<String> {
        tables.iter().flat_map(|(name, table)| table.wrong(name)).collect()
    };
    assert!(before.len() > 35, "{}", before.len());
    assert!(OF_THE_HOST.iter().all(|name| before.contains_key(*name)), "each of them is there");
    assert_eq!(wrong(&before), Vec::<String>::new());
    assert_eq!(wrong(&after), found);
}

/// Invariant 9: count the audit rows against the changes of a scene, which makes one of each.
pub async fn every_change_writes_an_audit_row(world: &World) {
    let scene = world.scene("quay").await;
    for (kind, subject) in [
        ("tenant", scene.tenant.uuid()),
        ("listing", scene.listing.uuid()),
        ("member", scene.member.uuid()),
        ("event_type", scene.event_type.uuid()),
        ("connection", scene.connection.uuid()),
    ] {
        let entries = world.store.timeline(scene.tenant, kind, subject).await.unwrap();
        assert_eq!(entries.len(), 1, "{kind}");
        assert_eq!(entries[0].action, format!("{kind}.created"));
        assert_eq!((entries[0].subject_kind.as_str(), entries[0].subject_id), (kind, subject));
        assert_eq!(
            (entries[0].audit.actor.as_str(), entries[0].audit.request_id.as_str()),
            ("system", "req-1")
        );
        assert!(!entries[0].data.to_string().contains("not_a_real_key"));
    }
}

/// Invariant 1 without any of our code: what the database itself does with two rows, whichever way they come to overlap.
pub async fn the_database_itself_refuses_overlaps(world: &World) {
    let scene = world.scene("quay").await;
    let postgres = world.store.engine() == "postgres";
    let blob = |id: uuid::Uuid| if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) };
    // Hours of a day, as each engine writes instants.
    let at = |hour: i64| {
        if postgres { format!("to_timestamp({})", hour * 3600) } else { (hour * 3_600_000_000).to_string() }
    };
    let insert = |owner: u128, session: u128, seat: i64, from: i64, to: i64| {
        let (tenant, member) = (blob(scene.tenant.uuid()), blob(scene.member.uuid()));
        let (owner, session) = (blob(uuid::Uuid::from_u128(owner)), blob(uuid::Uuid::from_u128(session)));
        let (from, to) = (at(from), at(to));
        format!(
            "INSERT INTO occupancies (tenant_id, member_id, session_id, seat, blocked_start, blocked_end, starts_at, ends_at,
                owner_kind, owner_id)
            VALUES ({tenant}, {member}, {session}, {seat}, {from}, {to}, {from}, {to}, 'hold', {owner})"
        )
    };
    let update = |owner: u128, from: i64, to: i64| {
        let owner = blob(uuid::Uuid::from_u128(owner));
        format!(
            "UPDATE occupancies SET blocked_start = {}, blocked_end = {} WHERE owner_id = {owner}",
            at(from),
            at(to)
        )
    };
    let steps = [
        (insert(1, 1, 0, 10, 12), true),
        (insert(2, 2, 0, 12, 14), true),
        (insert(3, 3, 0, 6, 8), true),
        (insert(4, 4, 0, 11, 13), false),
        (insert(4, 4, 0, 5, 20), false),
        (insert(4, 4, 0, 7, 9), false),
        (insert(4, 4, 1, 11, 13), false),
        (insert(5, 5, 0, 9, 9), false),
        (update(3, 8, 10), true),
        (update(3, 8, 11), false),
        (update(3, 13, 15), false),
        (update(1, 10, 11), true),
        (update(1, 11, 12), true),
        (insert(6, 6, 0, 10, 11), true),
        // Seats of one session share their range; each is taken once.
        (insert(7, 7, 0, 20, 22), true),
        (insert(8, 7, 1, 20, 22), true),
        (insert(9, 7, 2, 20, 22), true),
        (insert(10, 7, 1, 20, 22), false),
        (insert(10, 10, 3, 20, 22), false),
        (insert(10, 10, 0, 21, 23), false),
        (insert(10, 10, 0, 19, 21), false),
        (insert(10, 10, 0, 18, 20), true),
        (insert(11, 11, 0, 22, 24), true),
        (update(10, 18, 21), false),
        (update(11, 21, 24), false),
    ];
    for (step, accepted) in steps {
        let result = if postgres {
            PgConnection::connect(&world.url)
                .await
                .unwrap()
                .execute(AssertSqlSafe(step.clone()))
                .await
                .is_ok()
        } else {
            SqliteConnection::connect(&world.url)
                .await
                .unwrap()
                .execute(AssertSqlSafe(step.clone()))
                .await
                .is_ok()
        };
        assert_eq!(result, accepted, "{step}");
    }
}

/// Tables whose rows are as many as a tenant's bookings, customers, messages, or what is kept of them.
const LARGE: &[&str] = &[
    "audit_log",
    "booking_members",
    "booking_twins",
    "bookings",
    "calendar_entries",
    "consents",
    "customer_keys",
    "customers",
    "events",
    "external_bookings",
    "external_items",
    "idempotency_keys",
    "inbound_webhooks",
    "jobs",
    "occupancies",
    "provider_calls",
    "sync_conflicts",
];

/// What reads all that a tenant has in a large table, each seldom: how it begins, and when it is asked.
const WHOLE: &[(&str, &str)] = &[
    ("SELECT tenant_id, booking_id, calendar_id, connection_id, external_id", "a calendar goes"),
    (
        "SELECT tenant_id, id, connection_id, booking_id, external_id, own_twin",
        "conflicts of a booking, which are few",
    ),
    ("DELETE FROM connections", "a connection goes, and with it what refers to it"),
    (
        "SELECT b.tenant_id, b.id FROM calendars c JOIN",
        "a duty looks for entries that are behind, of all tenants",
    ),
    ("DELETE FROM tenants", "a tenant goes, which has nothing any more"),
    ("SELECT (SELECT COUNT(*) FROM bookings", "what would go with it is shown"),
];

/// Nothing else reads a large table whole, or all that a tenant has in one: what it costs must not grow with the years. (PostgreSQL plans by what
/// is in the tables: it reads those of a test whole, and rightly.)
pub async fn no_statement_reads_a_large_table_whole(world: &World) {
    if world.store.engine() == "postgres" {
        return;
    }
    let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
    let partial: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'")
            .fetch_all(&mut conn)
            .await
            .unwrap();
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    for statement in world.store.statements() {
        let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        // Some rows of whatever there is.
        if statement.starts_with("DELETE FROM") && statement.ends_with("LIMIT $2)") {
            continue;
        }
        let mut rows = Vec::new();
        // Two that are carried out together are explained one by one.
        for statement in statement.split("; ") {
            let explain = format!("EXPLAIN QUERY PLAN {statement}");
            rows.extend(conn.fetch_all(AssertSqlSafe(explain)).await.unwrap());
        }
        for line in rows.iter().map(|row| row.get::<String, _>(3)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [verb, table, ..] = words.as_slice() else { continue };
            // Who looks for what is left to do has an index of nothing else.
            let is_of_some = words.iter().any(|word| partial.iter().any(|index| index == word));
            let is_whole = *verb == "SCAN" || line.ends_with("(tenant_id=?)");
            // By its name, or by what the statement calls it.
            let is = |name: &&&str| **name == *table || statement.contains(&format!(" {name} {table} "));
            if LARGE.iter().find(is).is_none() || !is_whole || is_of_some {
                continue;
            }
            match WHOLE.iter().find(|(begins, _)| statement.starts_with(begins)) {
                Some((begins, _)) => drop(known.insert(*begins)),
                None => found.push(format!("{line}: {statement}")),
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
    let listed: BTreeSet<&str> = WHOLE.iter().map(|(begins, _)| *begins).collect();
    assert_eq!(known, listed, "what is listed is so");
}
