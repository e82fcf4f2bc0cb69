//! The schema's history: the same numbered names for both engines, embedded in the program.

use std::{borrow::Cow, sync::LazyLock};

use sqlx::{
    AssertSqlSafe, SqlSafeStr, SqliteConnection,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};

use crate::StoreError;

macro_rules! migrations {
    ($($number:literal $name:literal),* $(,)?) => {
        /// For SQLite.
        pub(crate) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| {
            migrator(&[$(($number, $name, include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")))),*])
        });
        /// For PostgreSQL.
        pub(crate) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| {
            migrator(&[$(($number, $name, include_str!(concat!("../../../migrations/postgres/", $name, ".sql")))),*])
        });
    };
}

migrations! {
    1 "0001_init",
    2 "0002_policies",
    3 "0003_rules",
    4 "0004_life",
    5 "0005_repeats",
    6 "0006_assignments",
    8 "0008_places_version",
    10 "0010_conformance",
    11 "0011_oauth",
    12 "0012_webhooks",
    13 "0013_sync",
    14 "0014_calendars",
    15 "0015_replicas",
    16 "0016_blocks",
    17 "0017_rotation",
    18 "0018_jobs_turn",
    19 "0019_crashes",
    20 "0020_conflict_ends",
    21 "0021_jobs_stopped",
    22 "0022_installations",
    24 "0024_key_sources",
    26 "0026_kept_answers",
    28 "0028_changes_seen",
    31 "0031_known_years",
    32 "0032_states",
    33 "0033_archived",
    35 "0035_looks",
    36 "0036_catalogs",
    37 "0037_booking_twins",
    38 "0038_conflict_versions",
    39 "0039_lookups",
    42 "0042_rule_origins",
    44 "0044_conflict_keys",
    45 "0045_clocks",
    46 "0046_keys",
    47 "0047_queues",
    48 "0048_events",
    50 "0050_customers",
    51 "0051_consents",
    53 "0053_booking_members",
    54 "0054_unplaced",
    55 "0055_key_versions",
    57 "0057_connections_of_provider",
    58 "0058_users",
    59 "0059_counterparts",
    60 "0060_customer_profiles",
    63 "0063_booking_search",
    64 "0064_booking_edits",
    65 "0065_locations",
    66 "0066_tenant_settings",
    67 "0067_private_links",
    68 "0068_currency",
    69 "0069_seats_taken",
    70 "0070_spine",
    71 "0071_made_at_providers",
    73 "0073_schedules",
    74 "0074_bulk",
    77 "0077_edits_delivered",
}

fn migrator(steps: &[(i64, &'static str, &'static str)]) -> Migrator {
    let steps = steps.iter().map(|(number, name, sql)| {
        let sql = AssertSqlSafe(*sql).into_sql_str();
        Migration::new(*number, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(steps.collect())
}

/// See [`run`]. Meanwhile a table may be dropped that others refer to, since SQLite changes no key in place; what refers to nothing
/// afterwards is looked for by the migration that does so.
pub(crate) async fn run_on_sqlite(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    const TABLES_ANEW: &str = "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON";
    const AS_EVER: &str = "PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON";
    sqlx::raw_sql(TABLES_ANEW).execute(&mut *connection).await?;
    let names = run(connection, &SQLITE).await;
    sqlx::raw_sql(AS_EVER).execute(connection).await?;
    names
}

/// Bring the schema up to date. Returns the names of what was applied.
pub(crate) async fn run<C: Migrate>(
    connection: &mut C,
    migrator: &Migrator,
) -> Result<Vec<String>, StoreError> {
    let names = pending(connection, migrator).await?;
    migrator.run_direct(None, connection, false).await?;
    Ok(names)
}

/// Names of what is not applied yet. A schema that is newer than this program is an error.
pub(crate) async fn pending<C: Migrate>(
    connection: &mut C,
    migrator: &Migrator,
) -> Result<Vec<String>, StoreError> {
    let applied = match connection.list_applied_migrations(&migrator.table_name).await {
        Ok(applied) => applied,
        Err(MigrateError::Execute(error)) if is_missing_table(&error) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if let Some(newer) = applied.iter().find(|step| !migrator.version_exists(step.version)) {
        return Err(StoreError::Migrate(MigrateError::VersionMissing(newer.version)));
    }
    let waiting = migrator.iter().filter(|step| applied.iter().all(|done| done.version != step.version));
    Ok(waiting.map(|step| step.description.to_string()).collect())
}

/// Is this a database that was never migrated? (`undefined_table` of PostgreSQL, the plain error code of SQLite)
fn is_missing_table(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("42P01" | "1"))
}
