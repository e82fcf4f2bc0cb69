//! Idempotency keys: the first request does the work, later ones get its answer.

use berth_model::{limits, time::Instant};
use uuid::Uuid;

use super::{super::Db, Conn};
use crate::{StoreError, records::Idempotency, types::Ts};

queries! {
    RESERVE = "INSERT INTO idempotency_keys (scope, key, fingerprint, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (scope, key) DO NOTHING";
    GET = "SELECT fingerprint, status, content_type, location, body FROM idempotency_keys WHERE scope = $1 AND key = $2";
    // Forgotten after a day; a reservation whose process died is free again after the longest time a request may take.
    EXPIRE = "DELETE FROM idempotency_keys
        WHERE scope = $1 AND key = $2 AND (created_at < $3 OR (status IS NULL AND created_at < $4))";
    COMPLETE = "UPDATE idempotency_keys SET status = $3, content_type = $4, location = $5, body = $6
        WHERE scope = $1 AND key = $2";
    RELEASE = "DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2 AND status IS NULL";
    PRUNE = "DELETE FROM idempotency_keys WHERE created_at < $1";
}

#[derive(sqlx::FromRow)]
struct Row {
    fingerprint: Vec<u8>,
    status: Option<i64>,
    content_type: Option<String>,
    location: Option<String>,
    body: Option<Vec<u8>>,
}

pub(crate) async fn begin(
    conn: &mut Conn,
    scope: Uuid,
    key: &str,
    fingerprint: &[u8],
    now: Instant,
) -> Result<Idempotency, StoreError> {
    let abandoned = i64::try_from(limits::JOB_LEASE_MS).unwrap_or(i64::MAX);
    sqlx::query::<Db>(EXPIRE)
        .bind(scope)
        .bind(key)
        .bind(Ts(now.plus_seconds(-limits::IDEMPOTENCY_SECONDS)))
        .bind(Ts(now.plus_millis(-abandoned)))
        .execute(&mut *conn)
        .await?;
    let reserved = sqlx::query::<Db>(RESERVE)
        .bind(scope)
        .bind(key)
        .bind(fingerprint)
        .bind(Ts(now))
        .execute(&mut *conn)
        .await?;
    if reserved.rows_affected() > 0 {
        return Ok(Idempotency::New);
    }
    let row: Option<Row> = sqlx::query_as::<Db, Row>(GET).bind(scope).bind(key).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(Idempotency::InFlight) };
    if row.fingerprint != fingerprint {
        return Ok(Idempotency::Mismatch);
    }
    Ok(match row.status.and_then(|s| u16::try_from(s).ok()) {
        None => Idempotency::InFlight,
        Some(status) => Idempotency::Replay {
            status,
            content_type: row.content_type.unwrap_or_default(),
            location: row.location,
            body: row.body.unwrap_or_default(),
        },
    })
}

pub(crate) async fn complete(
    conn: &mut Conn,
    scope: Uuid,
    key: &str,
    status: u16,
    content_type: &str,
    location: Option<&str>,
    body: &[u8],
) -> Result<(), StoreError> {
    sqlx::query::<Db>(COMPLETE)
        .bind(scope)
        .bind(key)
        .bind(i64::from(status))
        .bind(content_type)
        .bind(location)
        .bind(body)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn release(conn: &mut Conn, scope: Uuid, key: &str) -> Result<(), StoreError> {
    sqlx::query::<Db>(RELEASE).bind(scope).bind(key).execute(conn).await?;
    Ok(())
}

pub(crate) async fn prune(conn: &mut Conn, before: Instant) -> Result<u64, StoreError> {
    Ok(sqlx::query::<Db>(PRUNE).bind(Ts(before)).execute(conn).await?.rows_affected())
}
