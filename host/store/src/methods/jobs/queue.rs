//! Work that happens later.

use berth_model::{
    id::{JobId, TenantId},
    jobs::kind::JobQueue,
    time::Instant,
};

use crate::{
    Engine, Store, StoreError,
    records::{Audit, Claim, Job, JobEnd, NewJob},
};

impl Store {
    /// Add a job, unless one with its key is a dead letter because the process died during it again and again ([`JobEnd::Crashed`]): that one
    /// stands for it, except for a maker that brings a lease. If an open one has its key, that one is due at the earlier time instead; if it is held, it runs again at
    /// `due_at` when its holder is done. A job that brings its own lease takes an open one over that nobody holds: the one job
    /// then has the new id, payload, lease and attempt.
    pub async fn enqueue_job(&self, job: NewJob) -> Result<(), StoreError> {
        write_tx!(self, [job], |q, conn| q::jobs::queue::enqueue(conn, &job))
    }

    /// Take due jobs that nobody holds (or whose holder's lease is over), the most urgent first. Fewer than there are where one tenant has
    /// many: it is asked again.
    pub async fn claim_jobs(
        &self,
        now: Instant,
        leased_until: Instant,
        claim: Claim,
    ) -> Result<Vec<Job>, StoreError> {
        write_auto!(self, [], |q, conn| q::jobs::queue::claim(conn, now, leased_until, &claim))
    }

    /// The statement that takes jobs, for who looks at how the database carries it out.
    #[must_use]
    pub const fn claim_statement(&self) -> &'static str {
        match &self.engine {
            Engine::Sqlite(_) => crate::sqlite::queries::jobs::queue::CLAIM_STATEMENT,
            Engine::Postgres(_) => crate::postgres::queries::jobs::queue::CLAIM_STATEMENT,
        }
    }

    /// End a held job. False when the fence does not match (somebody else holds it now). A wake-up that came while it was
    /// held is never lost: instead of being removed or made a dead letter, the job then runs again, with a new id, from attempt 2
    /// (only a first attempt may take for granted that nothing was done before).
    pub async fn end_job(
        &self,
        tenant: TenantId,
        job: JobId,
        attempt: i64,
        end: JobEnd,
    ) -> Result<bool, StoreError> {
        let next = self.next_run(job);
        write_auto!(self, [end], |q, conn| q::jobs::queue::end(conn, (tenant, job), attempt, &end, next))
    }

    /// An id for the next run of a job; as old as the job, since no clock is at hand.
    fn next_run(&self, job: JobId) -> JobId {
        let millis = job.uuid().get_timestamp().map_or(0, |time| {
            let (seconds, nanos) = time.to_unix();
            i64::try_from(seconds).unwrap_or(0).saturating_mul(1_000) + i64::from(nanos / 1_000_000)
        });
        JobId::new(Instant::from_micros(millis.saturating_mul(1_000)), self.random.as_ref())
    }

    /// When a worker should look again: the next due time, or the end of a lease whose holder may be dead. None if there is
    /// no open job.
    pub async fn next_job_due(&self) -> Result<Option<Instant>, StoreError> {
        read!(self, |q, conn| q::jobs::queue::next_due(conn))
    }

    /// Dead letters, the latest first.
    pub async fn dead_jobs(&self, tenant: TenantId, limit: u32) -> Result<Vec<Job>, StoreError> {
        self.list_jobs(tenant, true, None, limit).await
    }

    /// Jobs before this one, the latest first: dead letters, or those that wait or are held.
    pub async fn list_jobs(
        &self,
        tenant: TenantId,
        dead: bool,
        before: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        read!(self, |q, conn| q::jobs::queue::list(conn, tenant, dead, before, limit))
    }

    /// One job.
    pub async fn job(&self, tenant: TenantId, job: JobId) -> Result<Job, StoreError> {
        read!(self, |q, conn| q::jobs::queue::get(conn, tenant, job))
    }

    /// Jobs with one of these keys, open ones and dead letters.
    pub async fn jobs_with_keys(&self, tenant: TenantId, keys: Vec<String>) -> Result<Vec<Job>, StoreError> {
        read!(self, |q, conn| q::jobs::queue::with_keys(conn, tenant, &keys))
    }

    /// Requeue a dead letter: due now, with a new id, from attempt 2. `Duplicate` if there is an open one
    /// with its key.
    pub async fn requeue_job(
        &self,
        tenant: TenantId,
        job: JobId,
        now: Instant,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let next = JobId::new(now, self.random.as_ref());
        write_tx!(self, [audit], |q, conn| q::jobs::queue::requeue(conn, tenant, job, next, now, &audit))
    }

    /// How many jobs of each queue wait or are held.
    pub async fn open_jobs(&self) -> Result<Vec<(JobQueue, i64)>, StoreError> {
        read!(self, |q, conn| q::jobs::queue::open_counts(conn))
    }

    /// How many jobs wait or are held.
    pub async fn open_job_count(&self) -> Result<i64, StoreError> {
        Ok(self.open_jobs().await?.into_iter().map(|(_, count)| count).sum())
    }
}
