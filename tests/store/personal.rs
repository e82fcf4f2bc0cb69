//! The register of personal data against the database itself.

use std::collections::BTreeSet;

use berth_store::personal::register;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::world::World;

/// Tables and columns, as the database's catalogue has them.
async fn columns(world: &World) -> BTreeSet<(String, String)> {
    let found: Vec<(String, String)> = if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        let all = "SELECT table_name::text, column_name::text FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'";
        sqlx::query_as(all).fetch_all(&mut conn).await.unwrap()
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        let all = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '_sqlx%'";
        sqlx::query_as(all).fetch_all(&mut conn).await.unwrap()
    };
    found.into_iter().collect()
}

/// What is missing is added in `host/store/src/personal/`, in the file of the table's domain.
pub async fn every_column_has_a_line(world: &World) {
    let lines: Vec<(String, String)> = register()
        .flat_map(|table| table.columns.iter().map(|column| (table.name.to_owned(), column.name.to_owned())))
        .collect();
    let registered: BTreeSet<_> = lines.iter().cloned().collect();
    assert_eq!(registered.len(), lines.len(), "a column has two lines");
    let there = columns(world).await;
    assert!(there.len() > 100, "{}", there.len());
    let unregistered: Vec<_> = there.difference(&registered).collect();
    assert!(unregistered.is_empty(), "columns without a line in host/store/src/personal/: {unregistered:?}");
    let gone: Vec<_> = registered.difference(&there).collect();
    assert!(gone.is_empty(), "lines of host/store/src/personal/ without a column: {gone:?}");
}
