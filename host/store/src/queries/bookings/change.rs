//! Changes of bookings. What they mean is decided in `transition`; this writes it down.

use berth_model::{
    bookings::booking::{Booking, ProviderTask},
    id::{BookingId, JobId, TenantId},
    outbound::provider::ExternalBooking,
};
use serde_json::json;
use sqlx::types::Json;

use super::{
    super::{super::Db, Conn, bookings, jobs::queue, tenants::audit},
    limits, occupancy, twins,
};
use crate::{
    StoreError,
    records::{Audit, BookingChange, JobEnd},
    transition,
    types::Ts,
};

queries! {
    UPDATE = "UPDATE bookings SET status = $3, provider_task = $4, starts_at = $5, ends_at = $6,
            previous_starts_at = $7, previous_ends_at = $8, reason = $9, external_id = $10, external = $11,
            external_updated_at = $12, sequence = $13, updated_at = $14, member_id = $15, other_members = $16, assignment = $17,
            clocks = $18
        WHERE tenant_id = $1 AND id = $2";
}

/// What a change is applied to, and what is done with it.
pub(crate) struct Order<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) booking: BookingId,
    pub(crate) expected_sequence: i64,
    pub(crate) change: &'a BookingChange,
    /// The job that did it, with its fence and an id for its next run.
    pub(crate) job_done: Option<(JobId, i64, JobId)>,
}

pub(crate) async fn change(conn: &mut Conn, order: Order<'_>, audit: &Audit) -> Result<Booking, StoreError> {
    let old = bookings::lock(conn, order.tenant, order.booking).await?;
    if old.sequence != order.expected_sequence {
        return Err(StoreError::Stale);
    }
    let mut step = transition::apply(&old, order.change, audit.at)?;
    let start = step.booking.when.start();
    if start != old.when.start() {
        // Whoever is told of the new time is told what clocks show then.
        step.booking.clocks = old.clocks.as_ref().map(|clocks| clocks.showing(start));
    }
    if !old.members().eq(step.booking.members()) {
        // All of them in one order, before the places of any are looked at.
        let mut all: Vec<_> = old.members().chain(step.booking.members()).collect();
        all.sort_unstable();
        all.dedup();
        occupancy::touch(conn, order.tenant, &all).await?;
    }
    if let BookingChange::Reschedule { when, allowances, .. } = order.change {
        limits::check(conn, &old, *when, allowances).await?;
    }
    update(conn, &step.booking).await?;
    occupancy::arrange(conn, &step.booking, step.places, audit.at).await?;
    // First the end of the job that did this, so that the next change may be queued under the same key.
    if let Some((job, attempt, next)) = order.job_done {
        queue::end(conn, job, attempt, &JobEnd::Done, next).await?;
    }
    if let BookingChange::Cancel { job: Some(job), .. }
    | BookingChange::Reschedule { job: Some(job), .. }
    | BookingChange::Confirm { job: Some(job) }
    | BookingChange::Retell { job, .. } = order.change
    {
        queue::enqueue(conn, job).await?;
    }
    audit::note(conn, audit, Some(order.tenant), step.action, old.id.uuid(), step.data).await?;
    Ok(step.booking)
}

async fn update(conn: &mut Conn, booking: &Booking) -> Result<(), StoreError> {
    sqlx::query::<Db>(UPDATE)
        .bind(booking.tenant.uuid())
        .bind(booking.id.uuid())
        .bind(booking.status.as_str())
        .bind(booking.provider_task.map(ProviderTask::as_str))
        .bind(Ts(booking.when.start()))
        .bind(Ts(booking.when.end()))
        .bind(booking.previous_when.map(|when| Ts(when.start())))
        .bind(booking.previous_when.map(|when| Ts(when.end())))
        .bind(&booking.reason)
        .bind(&booking.external_id)
        .bind(booking.external.as_ref().map(Json))
        .bind(booking.external_updated_at.map(Ts))
        .bind(booking.sequence)
        .bind(Ts(booking.updated_at))
        .bind(booking.member.uuid())
        .bind(Json(&booking.other_members))
        .bind(booking.assignment.as_ref().map(Json))
        .bind(booking.clocks.as_ref().map(Json))
        .execute(&mut *conn)
        .await?;
    twins::note_own(conn, booking).await
}

/// Remember the twin without a change of state.
pub(crate) async fn note_external(
    conn: &mut Conn,
    tenant: TenantId,
    booking: BookingId,
    external: &ExternalBooking,
    audit: &Audit,
) -> Result<(), StoreError> {
    let mut record = bookings::lock(conn, tenant, booking).await?;
    transition::adopt(&mut record, external);
    update(conn, &record).await?;
    let data = json!({ "external_id": external.id });
    audit::note(conn, audit, Some(tenant), "booking.twin_noted", booking.uuid(), data).await
}
