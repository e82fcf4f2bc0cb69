//! Migration 0046, which changes most keys, on a database that has rows.

use std::collections::BTreeMap;

use berth_model::{id::TenantId, jobs::kind::JobKind, plugins::plugin::HostGrant};
use berth_store::{Store, StoreError, records::GrantRecord};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqlSafeStr, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
};
use uuid::Uuid;

use crate::{
    carry_over::{at, blob, migration},
    world::{World, keys},
};

/// The migrations up to this number, as the program applies them.
fn migrations_until(engine: &str, last: i64) -> Migrator {
    let folder = format!("{}/../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
    let names =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let steps = names.map(|name| {
        let name = name.trim_end_matches(".sql").to_owned();
        let sql = AssertSqlSafe(migration(engine, &name)).into_sql_str();
        Migration::new(name[..4].parse().unwrap(), name.into(), MigrationType::Simple, sql, false)
    });
    let mut steps: Vec<_> = steps.filter(|step| step.version <= last).collect();
    steps.sort_by_key(|step| step.version);
    Migrator::with_migrations(steps)
}

/// One row or two in each table whose key changes in 0046, and in what refers to them.
fn rows_before_keys(postgres: bool) -> String {
    let (id, at) = (blob(postgres), at(postgres));
    let text = |bytes: &str| if postgres { format!("'\\x{bytes}'") } else { format!("x'{bytes}'") };
    let (t, t0, t1) = (id(1), at(10), at(12));
    let (listing, member, kind, connection, calendar) = (id(2), id(3), id(4), id(5), id(6));
    let mut sql = format!(
        "INSERT INTO tenants (id, slug, name, created_at) VALUES ({t}, 'quay', 'Quay', {t0});
        INSERT INTO listings (tenant_id, id, slug, title, description, time_zone, active, offer_when_degraded, revision, created_at,
            updated_at) VALUES ({t}, {listing}, 'quay', 'Quay', '', 'Etc/UTC', TRUE, FALSE, 1, {t0}, {t0});
        INSERT INTO members (tenant_id, id, name, time_zone, weekly_hours, active, revision, created_at, updated_at)
            VALUES ({t}, {member}, 'Ada', 'Etc/UTC', '[]', TRUE, 1, {t0}, {t0});
        INSERT INTO event_types (tenant_id, id, listing_id, slug, title, description, length_minutes, buffer_before_minutes,
            buffer_after_minutes, minimum_notice_minutes, booking_window_days, active, revision, created_at, updated_at)
            VALUES ({t}, {kind}, {listing}, 'cut', 'Cut', '', 30, 0, 0, 0, 30, TRUE, 1, {t0}, {t0});
        INSERT INTO event_type_members (tenant_id, event_type_id, member_id, position) VALUES ({t}, {kind}, {member}, 0);
        INSERT INTO connections (tenant_id, id, plugin, name, settings, status, account, credential_names, sealed_credentials,
            revision, created_at, updated_at)
            VALUES ({t}, {connection}, 'reference', 'R', '{{}}', 'healthy', '{{}}', '[]', {sealed}, 1, {t0}, {t0});
        UPDATE tenants SET default_connection = {connection};
        UPDATE listings SET booking_provider = {connection};
        INSERT INTO connection_state (tenant_id, connection_id, key, value) VALUES ({t}, {connection}, 'k', {sealed});
        INSERT INTO bookings (tenant_id, id, listing_id, event_type_id, member_id, connection_id, status, starts_at, ends_at,
            attendee, guests, answers, sequence, created_at, updated_at)
            VALUES ({t}, {booking}, {listing}, {kind}, {member}, {connection}, 'confirmed', {t0}, {t1}, '{{}}', '[]', '{{}}', 0, {t0}, {t0});
        INSERT INTO calendars (tenant_id, id, member_id, connection_id, calendar, reads, writes, created_at, updated_at)
            VALUES ({t}, {calendar}, {member}, {connection}, 'c', TRUE, TRUE, {t0}, {t0});
        INSERT INTO calendar_entries (tenant_id, booking_id, calendar_id, connection_id, written, updated_at)
            VALUES ({t}, {booking}, {calendar}, {connection}, 0, {t0});
        INSERT INTO calendar_blocks (tenant_id, id, calendar_id, connection_id, starts_at, ends_at, state, updated_at)
            VALUES ({t}, {booking}, {calendar}, {connection}, {t0}, {t1}, 'closed', {t0});
        INSERT INTO holds (tenant_id, id, event_type_id, member_id, other_members, starts_at, ends_at, token_hash, expires_at,
            created_at) VALUES ({t}, {booking}, {kind}, {member}, '[]', {t0}, {t1}, {sealed}, {t1}, {t0});
        INSERT INTO rules (tenant_id, id, kind, member_id, reach_start, reach_end, rule, revision, created_at, updated_at)
            VALUES ({t}, {booking}, 'holiday', {member}, {t0}, {t1}, '{{}}', 1, {t0}, {t0});
        INSERT INTO inbound_webhooks (tenant_id, id, connection_id, dedup_key, method, headers, query, body, received_at, status)
            VALUES ({t}, {booking}, {connection}, 'd', 'POST', '[]', '', {sealed}, {t0}, 'stored');
        INSERT INTO external_bookings (tenant_id, id, connection_id, external_id, member_id, status, starts_at, ends_at, payload, run,
            last_synced_at) VALUES ({t}, {booking}, {connection}, 'x', {member}, 'confirmed', {t0}, {t1}, '{{}}', 1, {t0});
        INSERT INTO sync_conflicts (tenant_id, id, connection_id, kind, dedup_key, ours, theirs, status, detected_at)
            VALUES ({t}, {booking}, {connection}, 'unknown', 'd', '{{}}', '{{}}', 'open', {t0});
        INSERT INTO old_webhook_secrets (tenant_id, connection_id, id, sealed, ends_at)
            VALUES ({t}, {connection}, {booking}, {sealed}, {t1});
        INSERT INTO provider_calls (id, tenant_id, connection_id, started_at, data) VALUES ({booking}, {t}, {connection}, {t0}, '{{}}');
        INSERT INTO oauth_flows (state_hash, tenant_id, connection_id, is_new, plugin, credential, sealed, started_by, expires_at)
            VALUES ({sealed}, {t}, {connection}, FALSE, 'reference', 'c', {sealed}, 'key:1', {t1});",
        sealed = text("00ff"),
        booking = id(10),
    );
    // Of a tenant, and of the host.
    for (own, tenant) in [(20, t.as_str()), (21, "NULL")] {
        let own_id = id(own);
        sql += &format!(
            "INSERT INTO audit_log (id, tenant_id, at, actor, request_id, action, subject_kind, subject_id, data)
                VALUES ({own_id}, {tenant}, {t0}, 'system', 'r', 'key.created', 'key', {own_id}, '{{}}');
            INSERT INTO api_keys (id, tenant_id, name, prefix, hash, scopes, created_at)
                VALUES ({own_id}, {tenant}, 'k', 'p', {hash}, '[]', {t0});
            INSERT INTO plugin_grants (plugin, level, tenant_id, hosts, enabled)
                VALUES ('reference', 'level {own}', {tenant}, '[]', TRUE);
            INSERT INTO idempotency_keys (scope, key, fingerprint, created_at) VALUES ({own_id}, 'k', {hash}, {t0});",
            hash = text(&own.to_string().repeat(32)),
        );
    }
    let jobs = [
        (30, "sync_booking", "FALSE"),
        (31, "sync_booking", "TRUE"),
        (32, "process_webhooks", "FALSE"),
        (33, "resolve_conflict", "FALSE"),
        (34, "sync_connection", "FALSE"),
        (35, "write_calendars", "FALSE"),
        (36, "write_blocks", "FALSE"),
        (37, "look_at_calendar", "FALSE"),
        (38, "of_old", "TRUE"),
    ];
    for (job, kind, dead) in jobs {
        sql += &format!(
            "INSERT INTO jobs (id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, dead, created_at)
                VALUES ({}, {t}, '{kind}', '{{}}', 10, {t0}, 'key {kind}', 1, {dead}, {t0});",
            id(job)
        );
    }
    // A meeting with two seats, and another one after it.
    for (session, seat, from, owner) in [(40, 0, 10, 10), (40, 1, 10, 11), (41, 0, 12, 12)] {
        sql += &format!(
            "INSERT INTO occupancies (tenant_id, member_id, session_id, seat, blocked_start, blocked_end, starts_at, ends_at,
                owner_kind, owner_id) VALUES ({t}, {member}, {}, {seat}, {from}, {to}, {from}, {to}, 'booking', {});",
            id(session),
            id(owner),
            from = at(from),
            to = at(from + 2),
        );
    }
    sql
}

/// Every row of a table, in some order, of these columns.
fn dump(postgres: bool, table: &str, columns: &[String]) -> String {
    let quote = if postgres { "quote_nullable" } else { "quote" };
    let columns: Vec<_> = columns.iter().map(|column| format!("{quote}({column})")).collect();
    format!("SELECT {} AS line FROM {table} ORDER BY line", columns.join(" || ',' || "))
}

/// Runs statements and asks for lines of text, on either engine.
enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    async fn open(url: &str) -> Self {
        if url.starts_with("sqlite") {
            Self::Sqlite(SqliteConnection::connect(url).await.unwrap())
        } else {
            Self::Postgres(PgConnection::connect(url).await.unwrap())
        }
    }

    async fn lines(&mut self, sql: String) -> Vec<String> {
        match self {
            Self::Sqlite(conn) => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(conn).await.unwrap(),
            Self::Postgres(conn) => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(conn).await.unwrap(),
        }
    }

    /// Refused with the words of the database.
    async fn run(&mut self, sql: &str) -> Result<(), String> {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = match self {
            Self::Sqlite(conn) => sqlx::raw_sql(sql).execute(conn).await.map(drop),
            Self::Postgres(conn) => sqlx::raw_sql(sql).execute(conn).await.map(drop),
        };
        done.map_err(|error| error.to_string())
    }
}

/// Tables whose rows of the host's own had no tenant before.
const OF_THE_HOST_TOO: [&str; 4] = ["audit_log", "api_keys", "plugin_grants", "idempotency_keys"];

/// The columns of each table; without the tenant where it was none before.
async fn columns(raw: &mut Raw, postgres: bool) -> BTreeMap<String, Vec<String>> {
    let names = if postgres {
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'"
    } else {
        "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
    };
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in raw.lines(names.to_owned()).await {
        let (table, column) = line.split_once('.').unwrap();
        let changed = column == "tenant_id" && OF_THE_HOST_TOO.contains(&table);
        if !table.starts_with('_') && !table.starts_with("sqlite") && !changed {
            columns.entry(table.to_owned()).or_default().push(column.to_owned());
        }
    }
    columns
}

/// A database of before migration 0046, with something in every table whose key it changes, is brought up to date as the program does it:
/// every row is there afterwards, and whatever the tables refused they refuse still.
pub async fn rows_keep_while_keys_change(world: &World) {
    let postgres = world.store.engine() == "postgres";
    let engine = world.store.engine();
    let folder = tempfile::tempdir().unwrap();
    let url = if postgres {
        Raw::open(&world.url).await.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        world.url.clone()
    } else {
        format!("sqlite:{}?mode=rwc", folder.path().join("old.db").display())
    };
    let mut raw = Raw::open(&url).await;
    match &mut raw {
        Raw::Sqlite(conn) => migrations_until(engine, 45).run_direct(None, conn, false).await.unwrap(),
        Raw::Postgres(conn) => migrations_until(engine, 45).run_direct(None, conn, false).await.unwrap(),
    }
    raw.run(&rows_before_keys(postgres)).await.unwrap();
    let (member, t) = (blob(postgres)(3), blob(postgres)(1));
    // One change of places is noted twice.
    raw.run("INSERT INTO place_changes SELECT * FROM place_changes").await.unwrap();

    let columns = columns(&mut raw, postgres).await;
    let mut before = BTreeMap::new();
    for (table, columns) in &columns {
        before.insert(table.clone(), raw.lines(dump(postgres, table, columns)).await);
    }
    let filled = before.values().filter(|rows| !rows.is_empty()).count();
    assert!(filled >= 25, "{filled} tables have rows");
    let store = Store::open(&url, keys(), world.random.clone()).await.unwrap();
    assert_eq!(store.migrate().await.unwrap().first().map(String::as_str), Some("0046_keys"));
    // A later migration may take a column away: then the rows are counted.
    let left = self::columns(&mut raw, postgres).await;
    for (table, columns) in columns {
        let mut expected = before.remove(&table).unwrap();
        if table == "place_changes" {
            expected.dedup();
        }
        let (are_there, gone) =
            columns.into_iter().partition::<Vec<_>, _>(|column| left[&table].contains(column));
        let rows = raw.lines(dump(postgres, &table, &are_there)).await;
        if gone.is_empty() {
            assert_eq!(rows, expected, "{table}");
        }
        assert_eq!(rows.len(), expected.len(), "{table}");
    }
    let nil = blob(postgres)(0);
    for table in OF_THE_HOST_TOO {
        for tenant in [&nil, &t] {
            let one = raw.lines(format!("SELECT 'one' FROM {table} WHERE tenant_id = {tenant}")).await;
            assert_eq!(one.len(), 1, "{table} has one row of {tenant}");
        }
    }
    let mut queues = raw.lines("SELECT DISTINCT kind || ' ' || queue FROM jobs".to_owned()).await;
    queues.sort();
    // Bulk changes came later.
    let then = JobKind::ALL.into_iter().filter(|kind| *kind != JobKind::ChangeInBulk);
    let mut expected: Vec<_> =
        then.map(|kind| format!("{} {}", kind.as_str(), kind.queue().as_str())).collect();
    expected.push("of_old upkeep".to_owned());
    expected.sort();
    assert_eq!(queues, expected);
    assert_eq!(store.list_keys(None).await.unwrap().len(), 1, "the operators' key");
    let seen = store.prepare_all().await.unwrap();
    assert_eq!(seen, Vec::<String>::new());

    // What the tables refused, and what they noted.
    let at = at(postgres);
    let occupancy = |session: u128, seat: i64, from: i64| {
        format!(
            "INSERT INTO occupancies (tenant_id, member_id, session_id, seat, blocked_start, blocked_end, starts_at, ends_at,
                owner_kind, owner_id) VALUES ({t}, {member}, {}, {seat}, {from}, {to}, {from}, {to}, 'booking', {t})",
            blob(postgres)(session),
            from = at(from),
            to = at(from + 2),
        )
    };
    let refused = raw.run(&occupancy(42, 0, 11)).await.unwrap_err();
    assert!(refused.contains("occupancies_no_overlap"), "{refused}");
    let refused = raw.run(&format!("UPDATE occupancies SET blocked_end = {} WHERE seat = 1", at(13))).await;
    assert!(refused.unwrap_err().contains("occupancies_no_overlap"));
    assert!(raw.run(&occupancy(40, 1, 10)).await.is_err(), "the seat is taken");
    let noted = async |raw: &mut Raw| raw.lines("SELECT 'one' FROM place_changes".to_owned()).await.len();
    let known = noted(&mut raw).await;
    raw.run(&occupancy(40, 2, 10)).await.unwrap();
    assert_eq!(noted(&mut raw).await, known, "the same stretch at the same version is noted already");
    raw.run(&occupancy(43, 0, 20)).await.unwrap();
    assert_eq!(noted(&mut raw).await, known + 1);
    let version = "SELECT 'v' || setup_version FROM tenants".to_owned();
    let version_before = raw.lines(version.clone()).await;
    raw.run("UPDATE listings SET title = 'Pier'").await.unwrap();
    assert_ne!(raw.lines(version).await, version_before, "the setup is noted to have changed");
    let stranger = format!("UPDATE bookings SET member_id = {}", blob(postgres)(99));
    assert!(raw.run(&stranger).await.is_err(), "foreign keys hold");
    raw.run(&format!("DELETE FROM bookings WHERE tenant_id = {t}")).await.unwrap();
    assert!(
        raw.lines("SELECT 'one' FROM calendar_entries".to_owned()).await.is_empty(),
        "what hung on it goes with it"
    );
    // On the program's own connection, too, once the migrations are through.
    let stranger = GrantRecord {
        plugin: "reference".parse().unwrap(),
        tenant: Some(TenantId::from_uuid(Uuid::from_u128(1))),
        listing: Some(world.id()),
        hosts: HostGrant::new(),
        enabled: true,
    };
    let refused = store.set_grant(stranger, world.audit()).await;
    assert!(matches!(refused, Err(StoreError::NotFound("listing"))), "{refused:?}");
    store.close().await;
}
