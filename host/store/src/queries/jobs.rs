//! The outbox: work that happens later, at least once, by one worker at a time.

use berth_model::{
    id::{JobId, TenantId},
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{super::Db, Conn, audit, limit as rows, met};
use crate::{
    StoreError,
    records::{Audit, Job, JobEnd, NewJob},
    types::Ts,
};

queries! {
    // An open job with the same key is made due earlier instead; one that is being worked on is to run once more.
    ENQUEUE = "INSERT INTO jobs (id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, leased_until, rerun, dead,
            created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE, FALSE, $10)
        ON CONFLICT (dedup_key) WHERE NOT dead DO UPDATE SET
            due_at = CASE WHEN excluded.due_at < jobs.due_at THEN excluded.due_at ELSE jobs.due_at END,
            rerun = jobs.leased_until IS NOT NULL";
    CLAIM = concat!("UPDATE jobs SET attempt = attempt + 1, leased_until = $2, rerun = FALSE WHERE id IN (
            SELECT id FROM jobs WHERE NOT dead AND due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
            ORDER BY priority, due_at, id LIMIT $3", lock_rows_skipping!(), ")
        RETURNING id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, last_error, created_at");
    DONE = "DELETE FROM jobs WHERE id = $1 AND attempt = $2 AND NOT rerun";
    RERUN = "UPDATE jobs SET leased_until = NULL, rerun = FALSE WHERE id = $1 AND attempt = $2 AND rerun";
    RETRY = "UPDATE jobs SET leased_until = NULL, last_error = $4,
            due_at = CASE WHEN rerun THEN due_at ELSE $3 END, rerun = FALSE
        WHERE id = $1 AND attempt = $2";
    BURY = "UPDATE jobs SET leased_until = NULL, dead = TRUE, last_error = $3 WHERE id = $1 AND attempt = $2";
    NEXT_DUE = "SELECT due_at, leased_until FROM jobs WHERE NOT dead
        ORDER BY CASE WHEN leased_until > due_at THEN leased_until ELSE due_at END LIMIT 1";
    DEAD = "SELECT id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, last_error, created_at
        FROM jobs WHERE dead AND tenant_id = $1 ORDER BY id LIMIT $2";
    REQUEUE = "UPDATE jobs SET dead = FALSE, due_at = $3, attempt = 1 WHERE id = $1 AND tenant_id = $2 AND dead";
    COUNT_OPEN = "SELECT count(*) FROM jobs WHERE NOT dead";
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    tenant_id: Uuid,
    kind: String,
    payload: Json<Value>,
    priority: i64,
    due_at: Ts,
    dedup_key: String,
    attempt: i64,
    last_error: Option<String>,
    created_at: Ts,
}

impl From<Row> for Job {
    fn from(row: Row) -> Self {
        Self {
            id: JobId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            kind: row.kind,
            payload: row.payload.0,
            priority: row.priority,
            due_at: row.due_at.0,
            dedup_key: row.dedup_key,
            attempt: row.attempt,
            last_error: row.last_error,
            created_at: row.created_at.0,
        }
    }
}

pub(crate) async fn enqueue(conn: &mut Conn, job: &NewJob, now: Instant) -> Result<(), StoreError> {
    sqlx::query::<Db>(ENQUEUE)
        .bind(job.id.uuid())
        .bind(job.tenant.uuid())
        .bind(&job.kind)
        .bind(Json(&job.payload))
        .bind(job.priority)
        .bind(Ts(job.due_at))
        .bind(&job.dedup_key)
        .bind(i64::from(job.leased_until.is_some()))
        .bind(job.leased_until.map(Ts))
        .bind(Ts(now))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn claim(
    conn: &mut Conn,
    now: Instant,
    leased_until: Instant,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    let claimed = sqlx::query_as::<Db, Row>(CLAIM)
        .bind(Ts(now))
        .bind(Ts(leased_until))
        .bind(rows(limit))
        .fetch_all(conn)
        .await?;
    let mut jobs: Vec<Job> = claimed.into_iter().map(Into::into).collect();
    jobs.sort_by_key(|job| (job.priority, job.due_at, job.id));
    Ok(jobs)
}

/// False when somebody else holds the job by now.
pub(crate) async fn end(conn: &mut Conn, job: JobId, attempt: i64, end: &JobEnd) -> Result<bool, StoreError> {
    let by = |sql: &'static str| sqlx::query::<Db>(sql).bind(job.uuid()).bind(attempt);
    let done = match end {
        JobEnd::Done => {
            let done = by(DONE).execute(&mut *conn).await?;
            if done.rows_affected() == 0 { by(RERUN).execute(conn).await? } else { done }
        }
        JobEnd::Retry { due_at, error } => by(RETRY).bind(Ts(*due_at)).bind(error).execute(conn).await?,
        JobEnd::Dead { error } => by(BURY).bind(error).execute(conn).await?,
    };
    Ok(done.rows_affected() > 0)
}

/// When the next open job may be taken.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<Instant>, StoreError> {
    let row: Option<(Ts, Option<Ts>)> =
        sqlx::query_as::<Db, (Ts, Option<Ts>)>(NEXT_DUE).fetch_optional(conn).await?;
    Ok(row.map(|(due, lease)| lease.map_or(due.0, |lease| lease.0.max(due.0))))
}

pub(crate) async fn dead(conn: &mut Conn, tenant: TenantId, limit: u32) -> Result<Vec<Job>, StoreError> {
    let found = sqlx::query_as::<Db, Row>(DEAD).bind(tenant.uuid()).bind(rows(limit)).fetch_all(conn).await?;
    Ok(found.into_iter().map(Into::into).collect())
}

pub(crate) async fn requeue(
    conn: &mut Conn,
    tenant: TenantId,
    job: JobId,
    now: Instant,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(REQUEUE)
        .bind(job.uuid())
        .bind(tenant.uuid())
        .bind(Ts(now))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("an open job for the same thing"))?;
    met(&done, StoreError::NotFound("job"))?;
    let event = audit::Event {
        tenant: Some(tenant),
        action: "job.requeued",
        kind: "job",
        subject: job.uuid(),
        data: &json!({}),
    };
    audit::insert(conn, audit, &event).await
}

pub(crate) async fn count_open(conn: &mut Conn) -> Result<i64, StoreError> {
    let (count,): (i64,) = sqlx::query_as::<Db, (i64,)>(COUNT_OPEN).fetch_one(conn).await?;
    Ok(count)
}
