//! Bookings, jobs and inbound webhooks.

use berth_model::{
    booking::Booking,
    id::{BookingId, ConnectionId, InboundWebhookId, JobId, MemberId, TenantId},
    provider::ExternalBooking,
    time::{Instant, Interval},
};

use crate::{
    Backend, Store, StoreError,
    records::{
        Audit, AuditEntry, BookingChange, BookingFilter, InboundWebhook, Job, JobEnd, NewBooking, NewJob,
        Occupied,
    },
};

impl Store {
    /// Takes the place and inserts booking, job and audit row in one transaction; `Overlap` if the place is taken.
    pub async fn create_booking(&self, new: NewBooking, audit: Audit) -> Result<(), StoreError> {
        write!(self, (new, audit), |conn, queries| queries::bookings::insert(conn, &new, &audit))
    }

    /// Booking.
    pub async fn booking(&self, tenant: TenantId, booking: BookingId) -> Result<Booking, StoreError> {
        read!(self, (tenant, booking), |conn, queries| queries::bookings::get(conn, tenant, booking))
    }

    /// Booking by external id.
    pub async fn booking_by_external_id(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        external_id: &str,
    ) -> Result<Option<Booking>, StoreError> {
        let external_id = external_id.to_owned();
        read!(self, (tenant, connection, external_id), |conn, queries| queries::bookings::by_external_id(
            conn,
            tenant,
            connection,
            &external_id
        ))
    }

    /// List bookings.
    pub async fn list_bookings(
        &self,
        tenant: TenantId,
        filter: BookingFilter,
        limit: u32,
    ) -> Result<Vec<Booking>, StoreError> {
        read!(self, (tenant, filter, limit), |conn, queries| queries::bookings::list(
            conn, tenant, &filter, limit
        ))
    }

    /// One transaction: check `sequence`, change, place, audit row, and the end of the job that did it, if one did. `Stale` when the
    /// sequence differs (nothing is changed then, the job included), `Overlap` when the new place is taken.
    pub async fn change_booking(
        &self,
        tenant: TenantId,
        booking: BookingId,
        expected_sequence: i64,
        change: BookingChange,
        job_done: Option<(JobId, i64)>,
        audit: Audit,
    ) -> Result<Booking, StoreError> {
        write!(self, (tenant, booking, expected_sequence, change, job_done, audit), |conn, queries| {
            queries::booking_changes::change(
                conn,
                tenant,
                booking,
                expected_sequence,
                &change,
                job_done,
                &audit,
            )
        })
    }

    /// Remember a twin's id on a booking whose sequence moved on while the provider was asked; no state changes.
    pub async fn note_external_id(
        &self,
        tenant: TenantId,
        booking: BookingId,
        external: ExternalBooking,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, booking, external, audit), |conn, queries| {
            queries::booking_changes::note_external_id(conn, tenant, booking, &external, &audit)
        })
    }

    /// Occupied.
    pub async fn occupied(
        &self,
        tenant: TenantId,
        members: &[MemberId],
        within: Interval,
    ) -> Result<Vec<Occupied>, StoreError> {
        let members = members.to_vec();
        read!(self, (tenant, members, within), |conn, queries| queries::places::occupied(
            conn, tenant, &members, within
        ))
    }

    /// Bookings per member that end after `now`: for choosing whom to give the next one.
    pub async fn upcoming_counts(
        &self,
        tenant: TenantId,
        members: &[MemberId],
        now: Instant,
    ) -> Result<Vec<(MemberId, i64, Option<Instant>)>, StoreError> {
        let members = members.to_vec();
        read!(self, (tenant, members, now), |conn, queries| queries::bookings::upcoming_counts(
            conn, tenant, &members, now
        ))
    }

    /// Timeline.
    pub async fn timeline(
        &self,
        tenant: TenantId,
        subject_kind: &str,
        subject: uuid::Uuid,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let subject_kind = subject_kind.to_owned();
        read!(self, (tenant, subject_kind, subject), |conn, queries| queries::audit::list(
            conn,
            tenant,
            &subject_kind,
            subject
        ))
    }

    /// Enqueue job.
    pub async fn enqueue_job(&self, job: NewJob) -> Result<(), StoreError> {
        write!(self, (job), |conn, queries| queries::jobs::enqueue(conn, &job, job.due_at))
    }

    /// Claim jobs.
    pub async fn claim_jobs(
        &self,
        now: Instant,
        leased_until: Instant,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        write!(self, (now, leased_until, limit), |conn, queries| queries::jobs::claim(
            conn,
            now,
            leased_until,
            limit
        ))
    }

    /// False when the fence does not match (somebody else holds it now).
    pub async fn end_job(&self, job: JobId, attempt: i64, end: JobEnd) -> Result<bool, StoreError> {
        write!(self, (job, attempt, end), |conn, queries| queries::jobs::end(conn, job, attempt, &end))
    }

    /// Next job due.
    pub async fn next_job_due(&self) -> Result<Option<Instant>, StoreError> {
        read!(self, (), |conn, queries| queries::jobs::next_due(conn))
    }

    /// Dead jobs.
    pub async fn dead_jobs(&self, tenant: TenantId, limit: u32) -> Result<Vec<Job>, StoreError> {
        read!(self, (tenant, limit), |conn, queries| queries::jobs::dead(conn, tenant, limit))
    }

    /// Requeue job.
    pub async fn requeue_job(
        &self,
        tenant: TenantId,
        job: JobId,
        now: Instant,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write!(self, (tenant, job, now, audit), |conn, queries| queries::jobs::requeue(
            conn, tenant, job, now, &audit
        ))
    }

    /// Open job count.
    pub async fn open_job_count(&self) -> Result<i64, StoreError> {
        read!(self, (), |conn, queries| queries::jobs::count_open(conn))
    }

    /// False when the same message was stored before. The job is inserted with it.
    pub async fn store_webhook(&self, webhook: InboundWebhook, job: NewJob) -> Result<bool, StoreError> {
        write!(self, (webhook, job), |conn, queries| queries::webhooks::insert(conn, &webhook, &job))
    }

    /// Webhook.
    pub async fn webhook(
        &self,
        tenant: TenantId,
        webhook: InboundWebhookId,
    ) -> Result<InboundWebhook, StoreError> {
        read!(self, (tenant, webhook), |conn, queries| queries::webhooks::get(conn, tenant, webhook))
    }

    /// End webhook.
    pub async fn end_webhook(
        &self,
        tenant: TenantId,
        webhook: InboundWebhookId,
        status: &str,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        let status = status.to_owned();
        write!(self, (tenant, webhook, status, detail), |conn, queries| queries::webhooks::end(
            conn,
            tenant,
            webhook,
            &status,
            detail.as_deref()
        ))
    }

    /// List webhooks.
    pub async fn list_webhooks(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        limit: u32,
    ) -> Result<Vec<InboundWebhook>, StoreError> {
        read!(self, (tenant, connection, limit), |conn, queries| queries::webhooks::list(
            conn, tenant, connection, limit
        ))
    }
}
