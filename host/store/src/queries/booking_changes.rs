//! Changes of a booking's state: one function per way, each with its place, its audit row and the end of its job.

use berth_model::{
    booking::{Booking, BookingStatus, ProviderTask},
    id::{BookingId, JobId, TenantId},
    provider::{ExternalBooking, ExternalStatus},
    time::{Instant, Interval},
};
use serde_json::{Value, json};
use sqlx::types::Json;

use super::{super::Db, Conn, audit, bookings, jobs, places};
use crate::{
    StoreError,
    records::{Audit, BookingChange, JobEnd},
    types::Ts,
};

queries! {
    UPDATE = "UPDATE bookings SET status = $3, provider_task = $4, starts_at = $5, ends_at = $6, previous_starts_at = $7,
            previous_ends_at = $8, reason = $9, external_id = $10, external = $11, external_updated_at = $12,
            sequence = $13, updated_at = $14
        WHERE tenant_id = $1 AND id = $2";
}

/// What becomes of the booking's place.
enum PlaceChange {
    Keep,
    Release,
    /// This one instead of all others.
    Replace(Interval),
    /// This one besides the others.
    Besides(Interval),
}

struct Step {
    action: &'static str,
    place: PlaceChange,
}

pub(crate) async fn change(
    conn: &mut Conn,
    tenant: TenantId,
    id: BookingId,
    expected_sequence: i64,
    change: &BookingChange,
    job_done: Option<(JobId, i64)>,
    audit: &Audit,
) -> Result<Booking, StoreError> {
    let mut booking = bookings::get_to_change(conn, tenant, id).await?;
    if booking.sequence != expected_sequence {
        return Err(StoreError::Stale);
    }
    let step = apply(&mut booking, change)?;
    booking.sequence = booking.sequence.saturating_add(1);
    booking.updated_at = audit.at;
    save(conn, &booking).await?;
    let place =
        |blocked| places::Place { tenant, member: booking.member, booking: id, when: booking.when, blocked };
    match step.place {
        PlaceChange::Keep => {}
        PlaceChange::Release => places::release(conn, tenant, id).await?,
        PlaceChange::Replace(blocked) => places::replace(conn, place(blocked)).await?,
        PlaceChange::Besides(blocked) => places::take_besides(conn, place(blocked)).await?,
    }
    if let BookingChange::Cancel { job: Some(job), .. } | BookingChange::Reschedule { job: Some(job), .. } =
        change
    {
        jobs::enqueue(conn, job, audit.at).await?;
    }
    if let Some((job, attempt)) = job_done {
        jobs::end(conn, job, attempt, &JobEnd::Done).await?;
    }
    note(conn, audit, step.action, &booking).await?;
    Ok(booking)
}

/// The change as a rule over values; refuses what the state does not allow.
fn apply(booking: &mut Booking, change: &BookingChange) -> Result<Step, StoreError> {
    let step = |action, place| Ok(Step { action, place });
    match change {
        BookingChange::Cancel { reason, job } => {
            become_status(booking, BookingStatus::Cancelled)?;
            booking.reason.clone_from(reason);
            booking.provider_task = job.as_ref().map(|_| ProviderTask::Cancel);
            step("booking.cancelled", if job.is_some() { PlaceChange::Keep } else { PlaceChange::Release })
        }
        BookingChange::Reschedule { when, blocked, job } => {
            if booking.status != BookingStatus::Confirmed || booking.provider_task.is_some() {
                return Err(StoreError::WrongState);
            }
            let old = std::mem::replace(&mut booking.when, *when);
            if job.is_some() {
                booking.previous_when = Some(old);
                booking.provider_task = Some(ProviderTask::Reschedule);
                step("booking.reschedule_requested", PlaceChange::Besides(*blocked))
            } else {
                step("booking.rescheduled", PlaceChange::Replace(*blocked))
            }
        }
        BookingChange::Synced { external, blocked } => {
            let action = match booking.provider_task {
                Some(ProviderTask::Create) => "booking.confirmed",
                Some(ProviderTask::Reschedule) => "booking.rescheduled",
                _ => return Err(StoreError::WrongState),
            };
            // A provider that wants a person's confirmation first answers `pending`; the booking waits with it.
            if booking.status == BookingStatus::Pending && external.status != ExternalStatus::Pending {
                become_status(booking, BookingStatus::Confirmed)?;
            }
            booking.provider_task = None;
            booking.previous_when = None;
            adopt(booking, external);
            step(action, PlaceChange::Replace(*blocked))
        }
        BookingChange::Refused { reason } => {
            become_status(booking, BookingStatus::Failed)?;
            booking.provider_task = None;
            booking.reason = Some(reason.clone());
            step("booking.refused", PlaceChange::Release)
        }
        BookingChange::RescheduleRefused { reason, blocked } => {
            let Some(previous) = booking.previous_when.take() else { return Err(StoreError::WrongState) };
            booking.when = previous;
            booking.provider_task = None;
            booking.reason = Some(reason.clone());
            step("booking.reschedule_refused", PlaceChange::Replace(*blocked))
        }
        BookingChange::CancelSynced { external } => {
            if booking.provider_task != Some(ProviderTask::Cancel) {
                return Err(StoreError::WrongState);
            }
            booking.provider_task = None;
            booking.previous_when = None;
            if let Some(external) = external {
                adopt(booking, external);
            }
            step("booking.cancel_synced", PlaceChange::Release)
        }
        BookingChange::CancelledByProvider { external } => {
            become_status(booking, BookingStatus::Cancelled)?;
            booking.provider_task = None;
            booking.previous_when = None;
            booking.reason.clone_from(&external.cancellation_reason);
            adopt(booking, external);
            step("booking.cancelled_by_provider", PlaceChange::Release)
        }
        BookingChange::ChangedByProvider { external, blocked } => {
            changed_by_provider(booking, external)?;
            let place =
                if booking.status.is_active() { PlaceChange::Replace(*blocked) } else { PlaceChange::Keep };
            step("booking.changed_by_provider", place)
        }
        BookingChange::Finished { status } => {
            become_status(booking, *status)?;
            step("booking.finished", PlaceChange::Keep)
        }
    }
}

fn changed_by_provider(booking: &mut Booking, external: &ExternalBooking) -> Result<(), StoreError> {
    let status = match external.status {
        ExternalStatus::Pending => booking.status,
        ExternalStatus::Confirmed => BookingStatus::Confirmed,
        ExternalStatus::Completed => BookingStatus::Completed,
        ExternalStatus::NoShow => BookingStatus::NoShow,
        ExternalStatus::Cancelled => return Err(StoreError::WrongState),
    };
    if status != booking.status {
        become_status(booking, status)?;
    } else if !status.is_active() {
        return Err(StoreError::WrongState);
    }
    booking.when = external.when;
    adopt(booking, external);
    Ok(())
}

fn become_status(booking: &mut Booking, next: BookingStatus) -> Result<(), StoreError> {
    if !booking.status.may_become(next) {
        return Err(StoreError::WrongState);
    }
    booking.status = next;
    Ok(())
}

fn adopt(booking: &mut Booking, external: &ExternalBooking) {
    booking.external_id = Some(external.id.clone());
    booking.external = serde_json::to_value(external).ok();
    booking.external_updated_at = external.updated_at.max(booking.external_updated_at);
}

async fn save(conn: &mut Conn, booking: &Booking) -> Result<(), StoreError> {
    sqlx::query::<Db>(UPDATE)
        .bind(booking.tenant.uuid())
        .bind(booking.id.uuid())
        .bind(booking.status.as_str())
        .bind(booking.provider_task.map(ProviderTask::as_str))
        .bind(Ts(booking.when.start()))
        .bind(Ts(booking.when.end()))
        .bind(booking.previous_when.map(|w| Ts(w.start())))
        .bind(booking.previous_when.map(|w| Ts(w.end())))
        .bind(&booking.reason)
        .bind(&booking.external_id)
        .bind(booking.external.as_ref().map(Json))
        .bind(booking.external_updated_at.map(|t: Instant| Ts(t)))
        .bind(booking.sequence)
        .bind(Ts(booking.updated_at))
        .execute(conn)
        .await?;
    Ok(())
}

async fn note(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    booking: &Booking,
) -> Result<(), StoreError> {
    let data: Value = json!({
        "status": booking.status,
        "provider_task": booking.provider_task,
        "when": booking.when,
        "reason": booking.reason,
        "external_id": booking.external_id,
    });
    let event = audit::Event {
        tenant: Some(booking.tenant),
        action,
        kind: "booking",
        subject: booking.id.uuid(),
        data: &data,
    };
    audit::insert(conn, audit, &event).await
}

/// Remember the twin's id without a change of state.
pub(crate) async fn note_external_id(
    conn: &mut Conn,
    tenant: TenantId,
    id: BookingId,
    external: &ExternalBooking,
    audit: &Audit,
) -> Result<(), StoreError> {
    let mut booking = bookings::get_to_change(conn, tenant, id).await?;
    adopt(&mut booking, external);
    save(conn, &booking).await?;
    note(conn, audit, "booking.twin_noted", &booking).await
}
