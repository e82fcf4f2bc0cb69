//! Work that happens later: one open job per key, leased to one worker at a time.

use berth_model::{
    id::{JobId, TenantId},
    jobs::kind::JobQueue,
    limits,
    time::Instant,
};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::super::{super::Db, Conn, expect_affected, opt_instant, or_not_found, owner, tenants::audit};
use crate::{
    StoreError,
    records::{Audit, Claim, Job, JobEnd, NewJob},
    types::Ts,
};

queries! {
    // Three cases: no open job (inserted), one that nobody holds (due earlier; taken over by a maker that brings a lease),
    // one that is held (it runs again when its holder is done). What took the process down again and again is not brought back by news
    // that comes from outside: the dead letter stands for it. Somebody who brings a lease is there in person.
    ENQUEUE = "INSERT INTO jobs (id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, leased_until, dead,
            created_at, queue)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE, $10, $13
        WHERE $12 OR NOT EXISTS (
            SELECT 1 FROM jobs WHERE tenant_id = $2 AND dedup_key = $7 AND dead AND crashes >= $11)
        ON CONFLICT (tenant_id, dedup_key) WHERE NOT dead DO UPDATE SET
            due_at = CASE WHEN jobs.leased_until > excluded.created_at OR jobs.due_at < excluded.due_at
                THEN jobs.due_at ELSE excluded.due_at END,
            rerun_at = CASE
                WHEN jobs.leased_until IS NULL OR jobs.leased_until <= excluded.created_at THEN NULL
                WHEN jobs.rerun_at < excluded.due_at THEN jobs.rerun_at ELSE excluded.due_at END,
            id = CASE WHEN excluded.leased_until IS NULL OR jobs.leased_until > excluded.created_at
                THEN jobs.id ELSE excluded.id END,
            attempt = CASE WHEN excluded.leased_until IS NULL OR jobs.leased_until > excluded.created_at
                THEN jobs.attempt ELSE excluded.attempt END,
            payload = CASE WHEN excluded.leased_until IS NULL OR jobs.leased_until > excluded.created_at
                THEN jobs.payload ELSE excluded.payload END,
            crashes = jobs.crashes + CASE
                WHEN excluded.leased_until IS NOT NULL AND jobs.leased_until <= excluded.created_at THEN 1 ELSE 0 END,
            leased_until = CASE WHEN excluded.leased_until IS NULL OR jobs.leased_until > excluded.created_at
                THEN jobs.leased_until ELSE excluded.leased_until END";
    // A lease that is still there is one that ran out: who ends a job gives it back. Of the first that are due of tenants that have not
    // their share, so many of each: one that has many in front gets a few now, and is left out once it has its share.
    CLAIM = concat!("UPDATE jobs SET attempt = attempt + 1, leased_until = $2, rerun_at = NULL,
            crashes = crashes + CASE WHEN leased_until IS NULL THEN 0 ELSE 1 END
        WHERE (tenant_id, id) IN (
            SELECT tenant_id, id FROM (
                SELECT tenant_id, id, ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY priority, due_at, id) AS turn FROM (
                    SELECT tenant_id, id, priority, due_at FROM jobs
                    WHERE queue = $4 AND NOT dead AND tenant_id NOT IN ($6, $7, $8)
                        AND due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
                    ORDER BY priority, due_at, id LIMIT $3", lock_rows_skipping!(), ") AS due) AS turns
            WHERE turn <= $5)
        RETURNING id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, crashes, leased_until, dead, last_error,
            created_at");
    DONE = "DELETE FROM jobs
        WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND leased_until IS NOT NULL AND NOT dead AND rerun_at IS NULL";
    RETRY = "UPDATE jobs SET leased_until = NULL, due_at = CASE WHEN rerun_at < $4 THEN rerun_at ELSE $4 END,
            rerun_at = NULL, last_error = $5, waits_for = $6, crashes = 0
        WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND leased_until IS NOT NULL AND NOT dead";
    // The try that was none is taken back. Whoever took it before cannot match: their attempt is a smaller one, or is held by nobody.
    PARK = "UPDATE jobs SET leased_until = NULL, due_at = CASE WHEN rerun_at < $4 THEN rerun_at ELSE $4 END,
            rerun_at = NULL, last_error = $5, waits_for = $6, crashes = 0, attempt = attempt - 1
        WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND leased_until IS NOT NULL AND NOT dead";
    DIE = "UPDATE jobs SET leased_until = NULL, dead = TRUE, last_error = $4
        WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND leased_until IS NOT NULL AND NOT dead AND rerun_at IS NULL";
    // Whatever woke it meanwhile: it would only take the process down once more.
    CRASHED = "UPDATE jobs SET leased_until = NULL, rerun_at = NULL, dead = TRUE, last_error = $4
        WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND leased_until IS NOT NULL AND NOT dead";
    // A new run has a new id, so that a holder of the old one, however late, cannot end it. It is never a first attempt: what
    // was tried before may have had an effect, and only a first attempt may take for granted that it had not.
    AGAIN = "UPDATE jobs SET id = $4, attempt = 1, leased_until = NULL, due_at = rerun_at, rerun_at = NULL,
            last_error = $5, crashes = 0
        WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND leased_until IS NOT NULL AND NOT dead AND rerun_at IS NOT NULL";
    NEXT_DUE = "SELECT MIN(due_at) FROM jobs WHERE NOT dead AND leased_until IS NULL";
    NEXT_LEASE_END = "SELECT MIN(leased_until) FROM jobs WHERE leased_until IS NOT NULL";
    DEAD = "SELECT id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, crashes, leased_until, dead, last_error,
            created_at
        FROM jobs WHERE tenant_id = $1 AND dead AND id < $2 ORDER BY id DESC LIMIT $3";
    OPEN = "SELECT id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, crashes, leased_until, dead, last_error,
            created_at
        FROM jobs WHERE tenant_id = $1 AND NOT dead AND id < $2 ORDER BY id DESC LIMIT $3";
    ONE = "SELECT id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, crashes, leased_until, dead, last_error,
            created_at
        FROM jobs WHERE tenant_id = $1 AND id = $2";
    REQUEUE = "UPDATE jobs SET id = $3, dead = FALSE, attempt = 1, crashes = 0, due_at = $4
        WHERE tenant_id = $1 AND id = $2 AND dead";
    OPEN_COUNTS = "SELECT queue, COUNT(*) FROM jobs WHERE NOT dead GROUP BY queue";
}

/// See [`claim`].
pub(crate) const CLAIM_STATEMENT: &str = CLAIM;

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
    crashes: i64,
    leased_until: Option<Ts>,
    dead: bool,
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
            crashes: row.crashes,
            leased_until: opt_instant(row.leased_until),
            dead: row.dead,
            last_error: row.last_error,
            created_at: row.created_at.0,
        }
    }
}

/// What is kept of an error: providers say some of it, and people read it.
fn kept(error: &str) -> String {
    error.chars().filter(|c| !c.is_control()).take(limits::JOB_ERROR_CHARS_MAX).collect()
}

/// When a job came into being: the time in its id (RFC 9562, version 7).
fn created_at(job: &NewJob) -> Instant {
    let millis = job.id.uuid().get_timestamp().map(|time| {
        let (seconds, nanos) = time.to_unix();
        i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000) + i64::from(nanos / 1_000_000)
    });
    millis.map_or(job.due_at, |millis| Instant::from_micros(millis.saturating_mul(1_000)))
}

pub(crate) async fn enqueue(conn: &mut Conn, job: &NewJob) -> Result<(), StoreError> {
    sqlx::query::<Db>(ENQUEUE)
        .bind(job.id.uuid())
        .bind(job.tenant.uuid())
        .bind(job.kind.as_str())
        .bind(Json(&job.payload))
        .bind(job.kind.priority())
        .bind(Ts(job.due_at))
        .bind(&job.dedup_key)
        .bind(i64::from(job.leased_until.is_some()))
        .bind(job.leased_until.map(Ts))
        .bind(Ts(created_at(job)))
        .bind(limits::JOB_CRASHES_MAX)
        .bind(job.leased_until.is_some())
        .bind(job.kind.queue().as_str())
        .execute(conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("a job with this id"))?;
    Ok(())
}

/// Take due jobs that nobody holds, the most urgent first. One statement, which stands alone.
pub(crate) async fn claim(
    conn: &mut Conn,
    now: Instant,
    leased_until: Instant,
    claim: &Claim,
) -> Result<Vec<Job>, StoreError> {
    let count = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
    let mut query = sqlx::query_as::<Db, Row>(CLAIM)
        .bind(Ts(now))
        .bind(Ts(leased_until))
        .bind(count(claim.most))
        .bind(claim.queue.as_str())
        .bind(count(claim.of_one_tenant));
    for tenant in claim.not_of {
        // Nobody has the nil tenant's jobs.
        query = query.bind(owner(tenant));
    }
    let rows = query.fetch_all(conn).await?;
    let mut jobs: Vec<Job> = rows.into_iter().map(Into::into).collect();
    jobs.sort_by_key(|job| (job.priority, job.due_at, job.id));
    Ok(jobs)
}

/// End a held job. `next` is its id if it has to run again for a wake-up that came meanwhile.
///
/// Each statement stands alone. Between the two nothing can be lost: a wake-up stays until the job is taken anew, and then the fence does
/// not match any more. Who dies in between leaves a held job, as who dies before does.
pub(crate) async fn end(
    conn: &mut Conn,
    (tenant, job): (TenantId, JobId),
    attempt: i64,
    end: &JobEnd,
    next: JobId,
) -> Result<bool, StoreError> {
    let query = sqlx::query::<Db>(match end {
        JobEnd::Done => DONE,
        JobEnd::Retry { .. } | JobEnd::Stopped { .. } => RETRY,
        JobEnd::Parked { .. } => PARK,
        JobEnd::Dead { .. } => DIE,
        JobEnd::Crashed { .. } => CRASHED,
    })
    .bind(tenant.uuid())
    .bind(job.uuid())
    .bind(attempt);
    let (query, error) = match end {
        JobEnd::Done => (query, None),
        JobEnd::Retry { due_at, error } => {
            let error = kept(error);
            (query.bind(Ts(*due_at)).bind(error.clone()).bind(None::<Uuid>), Some(error))
        }
        JobEnd::Stopped { by, due_at, error } | JobEnd::Parked { by, due_at, error } => {
            let error = kept(error);
            (query.bind(Ts(*due_at)).bind(error.clone()).bind(Some(by.uuid())), Some(error))
        }
        JobEnd::Dead { error } | JobEnd::Crashed { error } => {
            let error = kept(error);
            (query.bind(error.clone()), Some(error))
        }
    };
    let ended = query.execute(&mut *conn).await?.rows_affected() > 0;
    if ended || matches!(end, JobEnd::Crashed { .. }) {
        return Ok(ended);
    }
    let again = sqlx::query::<Db>(AGAIN)
        .bind(tenant.uuid())
        .bind(job.uuid())
        .bind(attempt)
        .bind(next.uuid())
        .bind(error);
    Ok(again.execute(conn).await?.rows_affected() > 0)
}

/// When a worker should look again: the next due time, or the end of a lease whose holder may be dead.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<Instant>, StoreError> {
    let due = sqlx::query_scalar::<Db, Option<Ts>>(NEXT_DUE).fetch_one(&mut *conn).await?;
    let lease_end = sqlx::query_scalar::<Db, Option<Ts>>(NEXT_LEASE_END).fetch_one(conn).await?;
    Ok(due.into_iter().chain(lease_end).min().map(|ts| ts.0))
}

/// Jobs of a tenant before this one, the latest first: dead letters, or all others.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    dead: bool,
    before: Option<JobId>,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    let rows = sqlx::query_as::<Db, Row>(if dead { DEAD } else { OPEN })
        .bind(tenant.uuid())
        .bind(before.map_or(Uuid::max(), JobId::uuid))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) async fn get(conn: &mut Conn, tenant: TenantId, job: JobId) -> Result<Job, StoreError> {
    let row =
        sqlx::query_as::<Db, Row>(ONE).bind(tenant.uuid()).bind(job.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "job").map(Into::into)
}

/// Jobs with one of these keys, dead letters included.
pub(crate) async fn with_keys(
    conn: &mut Conn,
    tenant: TenantId,
    keys: &[String],
) -> Result<Vec<Job>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Db>::new("");
    // Two halves, since each has an index of its own.
    for (half, dead) in ["NOT dead", "dead"].into_iter().enumerate() {
        if half > 0 {
            query.push(" UNION ALL ");
        }
        query.push(
            "SELECT id, tenant_id, kind, payload, priority, due_at, dedup_key, attempt, crashes, leased_until, dead, last_error,
            created_at FROM jobs WHERE tenant_id = ",
        );
        query.push_bind(tenant.uuid()).push(format!(" AND {dead} AND dedup_key IN ("));
        let mut list = query.separated(", ");
        for key in keys {
            list.push_bind(key.clone());
        }
        query.push(")");
    }
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Give a dead job a new life, with a new id.
pub(crate) async fn requeue(
    conn: &mut Conn,
    tenant: TenantId,
    job: JobId,
    next: JobId,
    now: Instant,
    audit: &Audit,
) -> Result<(), StoreError> {
    let done = sqlx::query::<Db>(REQUEUE)
        .bind(tenant.uuid())
        .bind(job.uuid())
        .bind(next.uuid())
        .bind(Ts(now))
        .execute(&mut *conn)
        .await
        .map_err(|e| StoreError::from(e).duplicate("an open job for the same"))?;
    expect_affected(&done, StoreError::NotFound("job"))?;
    audit::append(conn, audit, Some(tenant), "job.requeued", job.uuid(), json!({ "next": next })).await
}

/// How many jobs of each queue wait or are held.
pub(crate) async fn open_counts(conn: &mut Conn) -> Result<Vec<(JobQueue, i64)>, StoreError> {
    let rows = sqlx::query_as::<Db, (String, i64)>(OPEN_COUNTS).fetch_all(conn).await?;
    let of =
        |queue: JobQueue| rows.iter().find(|(name, _)| name == queue.as_str()).map_or(0, |(_, count)| *count);
    Ok(JobQueue::ALL.map(|queue| (queue, of(queue))).to_vec())
}
