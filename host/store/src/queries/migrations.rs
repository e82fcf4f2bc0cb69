//! Questions about the schema itself.

use sqlx::{Executor, SqlSafeStr};

use super::{super::Db, ALL, Conn};
use crate::StoreError;

/// Versions of the migrations that were applied; none in an empty database.
pub(crate) async fn applied(conn: &mut Conn) -> Result<Vec<i64>, StoreError> {
    let rows = sqlx::query_as::<Db, (i64,)>("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(conn)
        .await;
    match rows {
        Ok(rows) => Ok(rows.into_iter().map(|(version,)| version).collect()),
        // Before the first migration the table is not there.
        Err(sqlx::Error::Database(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// One round trip.
pub(crate) async fn ping(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query::<Db>("SELECT 1").execute(conn).await?;
    Ok(())
}

/// Prepare every declared statement; those that are refused, with the reason.
pub(crate) async fn prepare_all(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let mut refused = Vec::new();
    for (name, sql) in ALL.iter().flat_map(|file| file.iter()) {
        if let Err(error) = (&mut *conn).prepare((*sql).into_sql_str()).await {
            refused.push(format!("{name}: {error}"));
        }
    }
    Ok(refused)
}
