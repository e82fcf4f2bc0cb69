//! Which processes work on this database.

use berth_model::time::Instant;
use uuid::Uuid;

use super::super::{super::Db, Conn};
use crate::{StoreError, types::Ts};

queries! {
    SEEN = "INSERT INTO replicas (id, seen_at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at";
    GONE = "DELETE FROM replicas WHERE seen_at <= $1";
    LEAVE = "DELETE FROM replicas WHERE id = $1";
    COUNT = "SELECT COUNT(*) FROM replicas WHERE seen_at > $1";
}

/// Say that a process is there; how many are.
pub(crate) async fn seen(
    conn: &mut Conn,
    replica: Uuid,
    now: Instant,
    gone_before: Instant,
) -> Result<i64, StoreError> {
    sqlx::query::<Db>(SEEN).bind(replica).bind(Ts(now)).execute(&mut *conn).await?;
    sqlx::query::<Db>(GONE).bind(Ts(gone_before)).execute(&mut *conn).await?;
    count(conn, gone_before).await
}

/// How many are there.
pub(crate) async fn count(conn: &mut Conn, gone_before: Instant) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar::<Db, i64>(COUNT).bind(Ts(gone_before)).fetch_one(conn).await?)
}

/// A process ends.
pub(crate) async fn leave(conn: &mut Conn, replica: Uuid) -> Result<(), StoreError> {
    sqlx::query::<Db>(LEAVE).bind(replica).execute(conn).await?;
    Ok(())
}
