//! Idempotency keys: the first request with a key is carried out, the others are given its answer, which is sealed.

use berth_model::{
    id::{ApiKeyId, BookingId, TenantId},
    limits,
    time::Instant,
};
use sqlx::types::Json;

use super::super::{super::Db, Conn, expect_affected, number, owner};
use crate::{
    StoreError,
    records::{Idempotency, IdempotencyKey, KeptAnswer},
    types::Ts,
};

queries! {
    // A key is free again when its day is over, or when the request that reserved it died without an answer. In the second case
    // the new holder inherits what the dead one made.
    RESERVE = "INSERT INTO idempotency_keys (tenant_id, scope, key, fingerprint, created_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, created_at = excluded.created_at,
            status = NULL, rights = NULL, sealed = NULL, made = NULL, instead = NULL,
            booking_id = CASE WHEN idempotency_keys.created_at <= $6 THEN NULL ELSE idempotency_keys.booking_id END
        WHERE idempotency_keys.created_at <= $6
            OR (idempotency_keys.status IS NULL AND idempotency_keys.created_at <= $7
                AND idempotency_keys.fingerprint = excluded.fingerprint)";
    GET = "SELECT fingerprint, status, rights, sealed, made, instead FROM idempotency_keys WHERE tenant_id = $1 AND scope = $2 AND key = $3";
    COMPLETE = "UPDATE idempotency_keys SET status = $4, rights = $5, sealed = $6, made = $7, instead = $8
        WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND status IS NULL AND fingerprint = $9";
    RELEASE = "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND status IS NULL AND booking_id IS NULL";
    // As if its holder had died long enough ago.
    ABANDON = "UPDATE idempotency_keys SET created_at = $4 WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND status IS NULL";
    MADE = "UPDATE idempotency_keys SET booking_id = $4 WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND booking_id IS NULL";
    BOOKING = "SELECT booking_id FROM idempotency_keys WHERE tenant_id = $1 AND scope = $2 AND key = $3";
    COUNT = "SELECT COUNT(*) FROM (SELECT 1 FROM idempotency_keys WHERE tenant_id = $1 AND scope = $2 LIMIT $3) AS counted";
}

#[derive(sqlx::FromRow)]
struct Row {
    fingerprint: Vec<u8>,
    status: Option<i64>,
    rights: Option<Json<Vec<String>>>,
    sealed: Option<Vec<u8>>,
    made: Option<String>,
    instead: Option<String>,
}

/// What was found.
pub(crate) enum Found {
    /// Everything but an answer.
    Plain(Idempotency),
    /// An answer that must be opened.
    Sealed { rights: Vec<String>, status: u16, sealed: Vec<u8> },
}

pub(crate) async fn begin(
    conn: &mut Conn,
    key: &IdempotencyKey,
    fingerprint: &[u8],
    now: Instant,
) -> Result<Found, StoreError> {
    let reserved = sqlx::query::<Db>(RESERVE)
        .bind(owner(key.tenant))
        .bind(key.holder.uuid())
        .bind(&key.key)
        .bind(fingerprint)
        .bind(Ts(now))
        .bind(Ts(now.plus_seconds(-limits::IDEMPOTENCY_SECONDS)))
        .bind(Ts(now.plus_seconds(-limits::IDEMPOTENCY_IN_FLIGHT_SECONDS)))
        .execute(&mut *conn)
        .await?;
    if reserved.rows_affected() > 0 {
        return Ok(Found::Plain(Idempotency::New));
    }
    let row = sqlx::query_as::<Db, Row>(GET)
        .bind(owner(key.tenant))
        .bind(key.holder.uuid())
        .bind(&key.key)
        .fetch_optional(conn)
        .await?;
    // Gone in between: the next try will get it.
    let Some(row) = row else { return Ok(Found::Plain(Idempotency::InFlight)) };
    if row.fingerprint != fingerprint {
        return Ok(Found::Plain(Idempotency::Mismatch));
    }
    let Some(status) = row.status else { return Ok(Found::Plain(Idempotency::InFlight)) };
    let status = number(status, "status")?;
    let rights = row.rights.map(|Json(rights)| rights).unwrap_or_default();
    if let Some(sealed) = row.sealed {
        return Ok(Found::Sealed { rights, status, sealed });
    }
    let answer = KeptAnswer::Gone { status, made: row.made, instead: row.instead.unwrap_or_default() };
    Ok(Found::Plain(Idempotency::Done { rights, answer }))
}

/// The answer that a key is given from now on.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) rights: Vec<String>,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) made: Option<String>,
    pub(crate) instead: Option<String>,
}

pub(crate) async fn complete(
    conn: &mut Conn,
    key: &IdempotencyKey,
    fingerprint: &[u8],
    answer: &Answer,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(COMPLETE)
        .bind(owner(key.tenant))
        .bind(key.holder.uuid())
        .bind(&key.key)
        .bind(i64::from(answer.status))
        .bind(Json(&answer.rights))
        .bind(&answer.sealed)
        .bind(&answer.made)
        .bind(&answer.instead)
        .bind(fingerprint)
        .execute(conn)
        .await?;
    expect_affected(&done, StoreError::NotFound("idempotency key"))
}

/// Give a reserved key back. What was made under it stays known to it.
pub(crate) async fn release(conn: &mut Conn, key: &IdempotencyKey, now: Instant) -> Result<(), StoreError> {
    sqlx::query::<Db>(RELEASE)
        .bind(owner(key.tenant))
        .bind(key.holder.uuid())
        .bind(&key.key)
        .execute(&mut *conn)
        .await?;
    let abandoned = now.plus_seconds(-limits::IDEMPOTENCY_IN_FLIGHT_SECONDS);
    sqlx::query::<Db>(ABANDON)
        .bind(owner(key.tenant))
        .bind(key.holder.uuid())
        .bind(&key.key)
        .bind(Ts(abandoned))
        .execute(conn)
        .await?;
    Ok(())
}

/// Write down what a reserved key made; refused if it made something before, or is not reserved.
pub(crate) async fn made(
    conn: &mut Conn,
    key: &IdempotencyKey,
    booking: BookingId,
) -> Result<(), StoreError> {
    let made = sqlx::query::<Db>(MADE)
        .bind(owner(key.tenant))
        .bind(key.holder.uuid())
        .bind(&key.key)
        .bind(booking.uuid());
    expect_affected(&made.execute(conn).await?, StoreError::Duplicate("a booking under this Idempotency-Key"))
}

/// The booking that was made under a key.
pub(crate) async fn booking(conn: &mut Conn, key: &IdempotencyKey) -> Result<Option<BookingId>, StoreError> {
    let made = sqlx::query_scalar::<Db, Option<uuid::Uuid>>(BOOKING)
        .bind(owner(key.tenant))
        .bind(key.holder.uuid())
        .bind(&key.key);
    Ok(made.fetch_optional(conn).await?.flatten().map(BookingId::from_uuid))
}

/// How many keys one API key has used in its day, counted up to `most`.
pub(crate) async fn count(
    conn: &mut Conn,
    tenant: Option<TenantId>,
    holder: ApiKeyId,
    most: i64,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar::<Db, i64>(COUNT)
        .bind(owner(tenant))
        .bind(holder.uuid())
        .bind(most)
        .fetch_one(conn)
        .await?)
}
