//! Components on their way in.

use berth_model::{
    id::InstallationId,
    limits,
    plugins::{
        installation::{Installation, InstallationState},
        plugin::Digest,
    },
    time::Instant,
};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::super::{super::Db, Conn, number, or_not_found, parse_enum};
use crate::{StoreError, types::Ts};

queries! {
    INSERT = "INSERT INTO plugin_installations (id, state, bytes, created_at, seen_at) VALUES ($1, $2, $3, $4, $4)";
    GET = "SELECT id, state, bytes, digest, problem, created_at, seen_at FROM plugin_installations WHERE id = $1";
    LIST = "SELECT id, state, bytes, digest, problem, created_at, seen_at FROM plugin_installations
        ORDER BY created_at DESC LIMIT $1";
    REACH = "UPDATE plugin_installations SET state = $2, seen_at = $3, digest = $4, problem = $5
        WHERE id = $1 AND state NOT IN ('installed', 'refused', 'failed')";
    LOSE = "UPDATE plugin_installations SET state = 'failed', problem = $2
        WHERE seen_at <= $1 AND state NOT IN ('installed', 'refused', 'failed')";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    state: String,
    bytes: i64,
    digest: Option<String>,
    problem: Option<Json<Value>>,
    created_at: Ts,
    seen_at: Ts,
}

impl TryFrom<Row> for Installation {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let state =
            parse_enum(&InstallationState::ALL, InstallationState::as_str, &row.state, "installation state")?;
        Ok(Self {
            id: InstallationId::from_uuid(row.id),
            state,
            bytes: number(row.bytes, "size")?,
            digest: row.digest.map(Digest),
            problem: row.problem.map(|problem| problem.0),
            created_at: row.created_at.0,
            seen_at: row.seen_at.0,
        })
    }
}

pub(crate) async fn insert(conn: &mut Conn, new: &Installation) -> Result<(), StoreError> {
    sqlx::query::<Db>(INSERT)
        .bind(new.id.uuid())
        .bind(new.state.as_str())
        .bind(i64::try_from(new.bytes).unwrap_or(i64::MAX))
        .bind(Ts(new.created_at))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn get(conn: &mut Conn, id: InstallationId) -> Result<Installation, StoreError> {
    let row = sqlx::query_as::<Db, Row>(GET).bind(id.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "installation")?.try_into()
}

/// The latest first.
pub(crate) async fn list(conn: &mut Conn) -> Result<Vec<Installation>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(LIST).bind(limits::LIST_ROWS_MAX).fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Note how far one has come. What has ended stays as it is.
pub(crate) async fn reach(
    conn: &mut Conn,
    id: InstallationId,
    state: InstallationState,
    digest: Option<&Digest>,
    problem: Option<&Value>,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(REACH)
        .bind(id.uuid())
        .bind(state.as_str())
        .bind(Ts(now))
        .bind(digest.map(|digest| &digest.0))
        .bind(problem.map(Json))
        .execute(conn)
        .await?;
    Ok(())
}

/// End those that nobody has worked on since.
pub(crate) async fn lose(conn: &mut Conn, since: Instant, problem: &Value) -> Result<(), StoreError> {
    sqlx::query::<Db>(LOSE).bind(Ts(since)).bind(Json(problem)).execute(conn).await?;
    Ok(())
}
