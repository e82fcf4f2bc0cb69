//! Idempotency keys: the first request with a key is carried out, the others are given its answer.

use berth_model::{id::BookingId, limits, time::Instant};
use uuid::Uuid;

use super::{super::Db, Conn, met, number};
use crate::{StoreError, records::Idempotency, types::Ts};

queries! {
    // A key is free again when its day is over, or when the request that reserved it died without an answer. In the second case
    // the new holder inherits what the dead one made.
    RESERVE = "INSERT INTO idempotency_keys (scope, key, fingerprint, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, created_at = excluded.created_at,
            status = NULL, content_type = NULL, location = NULL, body = NULL,
            booking_id = CASE WHEN idempotency_keys.created_at <= $5 THEN NULL ELSE idempotency_keys.booking_id END
        WHERE idempotency_keys.created_at <= $5
            OR (idempotency_keys.status IS NULL AND idempotency_keys.created_at <= $6
                AND idempotency_keys.fingerprint = excluded.fingerprint)";
    GET = "SELECT fingerprint, status, content_type, location, body FROM idempotency_keys WHERE scope = $1 AND key = $2";
    COMPLETE = "UPDATE idempotency_keys SET status = $3, content_type = $4, location = $5, body = $6
        WHERE scope = $1 AND key = $2 AND status IS NULL";
    RELEASE = "DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2 AND status IS NULL AND booking_id IS NULL";
    // As if its holder had died long enough ago.
    ABANDON = "UPDATE idempotency_keys SET created_at = $3 WHERE scope = $1 AND key = $2 AND status IS NULL";
    MADE = "UPDATE idempotency_keys SET booking_id = $3 WHERE scope = $1 AND key = $2 AND booking_id IS NULL";
    BOOKING = "SELECT booking_id FROM idempotency_keys WHERE scope = $1 AND key = $2";
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
    let reserved = sqlx::query::<Db>(RESERVE)
        .bind(scope)
        .bind(key)
        .bind(fingerprint)
        .bind(Ts(now))
        .bind(Ts(now.plus_seconds(-limits::IDEMPOTENCY_SECONDS)))
        .bind(Ts(now.plus_seconds(-limits::IDEMPOTENCY_IN_FLIGHT_SECONDS)))
        .execute(&mut *conn)
        .await?;
    if reserved.rows_affected() > 0 {
        return Ok(Idempotency::New);
    }
    let row = sqlx::query_as::<Db, Row>(GET).bind(scope).bind(key).fetch_optional(conn).await?;
    // Gone in between: the next try will get it.
    let Some(row) = row else { return Ok(Idempotency::InFlight) };
    if row.fingerprint != fingerprint {
        return Ok(Idempotency::Mismatch);
    }
    let Some(status) = row.status else { return Ok(Idempotency::InFlight) };
    Ok(Idempotency::Replay {
        status: number(status, "status")?,
        content_type: row.content_type.unwrap_or_default(),
        location: row.location,
        body: row.body.unwrap_or_default(),
    })
}

/// The answer that a key is given from now on.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) async fn complete(
    conn: &mut Conn,
    scope: Uuid,
    key: &str,
    answer: &Answer,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(COMPLETE)
        .bind(scope)
        .bind(key)
        .bind(i64::from(answer.status))
        .bind(&answer.content_type)
        .bind(&answer.location)
        .bind(&answer.body)
        .execute(conn)
        .await?;
    met(&done, StoreError::NotFound("idempotency key"))
}

/// Give a reserved key back. What was made under it stays known to it.
pub(crate) async fn release(conn: &mut Conn, scope: Uuid, key: &str, now: Instant) -> Result<(), StoreError> {
    sqlx::query::<Db>(RELEASE).bind(scope).bind(key).execute(&mut *conn).await?;
    let abandoned = now.plus_seconds(-limits::IDEMPOTENCY_IN_FLIGHT_SECONDS);
    sqlx::query::<Db>(ABANDON).bind(scope).bind(key).bind(Ts(abandoned)).execute(conn).await?;
    Ok(())
}

/// Write down what a reserved key made; refused if it made something before, or is not reserved.
pub(crate) async fn made(
    conn: &mut Conn,
    scope: Uuid,
    key: &str,
    booking: BookingId,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(MADE).bind(scope).bind(key).bind(booking.uuid()).execute(conn).await?;
    met(&done, StoreError::Duplicate("a booking under this Idempotency-Key"))
}

/// The booking that was made under a key.
pub(crate) async fn booking(
    conn: &mut Conn,
    scope: Uuid,
    key: &str,
) -> Result<Option<BookingId>, StoreError> {
    let made =
        sqlx::query_scalar::<Db, Option<Uuid>>(BOOKING).bind(scope).bind(key).fetch_optional(conn).await?;
    Ok(made.flatten().map(BookingId::from_uuid))
}
