//! Changes of bookings. What they mean is decided in the model (`bookings/transition.rs`); this writes it
//! down.

use berth_model::{
    bookings::{
        booking::{Booking, ProviderTask},
        change::BookingChange,
        domain_events,
        role::Role,
        transition,
    },
    id::{BookingId, CustomerId, JobId, TenantId},
    outbound::provider::ExternalBooking,
    time::Instant,
};
use serde_json::json;
use sqlx::types::Json;

use super::{
    super::{super::Db, Conn, bookings, customers::identify::identify, jobs::queue, tenants::audit},
    counterparts, limits, members, occupancy, words,
};
use crate::{
    StoreError,
    macs::Known,
    records::{Audit, ChangeOrder, JobEnd},
    types::Ts,
};

queries! {
    UPDATE = "UPDATE bookings SET status = $3, provider_task = $4, starts_at = $5, ends_at = $6,
            previous_starts_at = $7, previous_ends_at = $8, reason = $9, external_id = $10, external = $11,
            external_updated_at = $12, sequence = $13, updated_at = $14, member_id = $15, further_members = $16, assignment = $17,
            clocks = $18, rescheduled_at = $19, local_changes = $20, seats_taken = $21, undelivered = $22
        WHERE tenant_id = $1 AND id = $2";
    WRITE = "UPDATE bookings SET attendee = $3, guests = $4, answers = $5, notes = $6, metadata = $7, customer_id = $8, location = $9
        WHERE tenant_id = $1 AND id = $2";
}

/// What a change is applied to, and what is done with it.
pub(crate) struct Order<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) booking: BookingId,
    pub(crate) expected_sequence: i64,
    pub(crate) change: &'a ChangeOrder,
    /// Who the attendee is from now on, where that may change; none: nobody can be looked for at the moment.
    pub(crate) known: Option<&'a Known>,
    /// The job that did it, with its fence and an id for its next run.
    pub(crate) job_done: Option<(JobId, i64, JobId)>,
}

pub(crate) async fn change(conn: &mut Conn, order: Order<'_>, audit: &Audit) -> Result<Booking, StoreError> {
    let old = bookings::lock(conn, order.tenant, order.booking).await?;
    if old.sequence != order.expected_sequence {
        return Err(StoreError::Stale);
    }
    let ChangeOrder { change, job, limits } = order.change;
    let mut made = transition::apply(&old, change, Role::of_actor(&audit.actor), audit.at)?;
    if made.is_dispatched && job.is_none() {
        // It would wait for ever.
        return Err(StoreError::WrongState);
    }
    if !old.members().eq(made.booking.members()) {
        // All of them in one order, before the places of any are looked at.
        let mut all: Vec<_> = old.members().chain(made.booking.members()).collect();
        all.sort_unstable();
        all.dedup();
        occupancy::lock_members(conn, order.tenant, &all).await?;
        members::replace(conn, &old, &made.booking).await?;
    }
    if matches!(change, BookingChange::Edit(_) | BookingChange::EditRefused { .. }) {
        write(conn, &old, &mut made.booking, order.known, audit.at).await?;
    }
    if let BookingChange::Reschedule { occupancy, .. } | BookingChange::Reassign { occupancy, .. } = change {
        limits::check(conn, &old, occupancy.when, limits).await?;
    }
    update(conn, &made.booking).await?;
    occupancy::arrange(conn, &made.booking, made.occupancies, audit.at).await?;
    // First the end of the job that did this, so that the next change may be queued under the same key.
    if let Some((job, attempt, next)) = order.job_done {
        queue::end(conn, (order.tenant, job), attempt, &JobEnd::Done, next).await?;
    }
    if let Some(job) = job.as_ref().filter(|_| made.is_dispatched) {
        queue::enqueue(conn, job).await?;
    }
    let event = domain_events::changed(&old, change, &made, audit.at, &audit.actor);
    audit::append_with_event(conn, audit, (order.tenant, &event), made.action, made.data).await?;
    Ok(made.booking)
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
        .bind(bookings::count(&booking.other_members))
        .bind(booking.assignment.as_ref().map(Json))
        .bind(booking.clocks.as_ref().map(Json))
        .bind(booking.rescheduled_at.map(Ts))
        .bind(bookings::local_changes(booking))
        .bind(i64::from(booking.seats_taken))
        .bind(booking.undelivered.as_ref().map(Json))
        .execute(&mut *conn)
        .await?;
    counterparts::note_own(conn, booking).await
}

/// Write down what stands on it. Where the attendee is written otherwise, it is for whoever they are now, and is found by that.
async fn write(
    conn: &mut Conn,
    old: &Booking,
    booking: &mut Booking,
    known: Option<&Known>,
    at: Instant,
) -> Result<(), StoreError> {
    let (was, is) = (&old.attendee, &booking.attendee);
    if (&was.name, &was.email, &was.phone) != (&is.name, &is.email, &is.phone) {
        booking.customer = match known {
            Some(known) => {
                let who = identify(conn, booking.tenant, known, at).await?;
                // Whose it was already stays theirs, however they write themselves.
                if who.is_blocked && old.customer != Some(who.customer) {
                    return Err(StoreError::Blocked);
                }
                Some(who.customer)
            }
            // It is made up for in the background.
            None => None,
        };
        words::replace(conn, (booking.tenant, booking.id), &booking.attendee).await?;
    }
    sqlx::query::<Db>(WRITE)
        .bind(booking.tenant.uuid())
        .bind(booking.id.uuid())
        .bind(Json(&booking.attendee))
        .bind(Json(&booking.guests))
        .bind(Json(&booking.answers))
        .bind(&booking.notes)
        .bind(Json(&booking.metadata))
        .bind(booking.customer.map(CustomerId::uuid))
        .bind(booking.location.as_ref().map(Json))
        .execute(conn)
        .await?;
    Ok(())
}

/// Remember the counterpart without a change of state.
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
    audit::append(conn, audit, Some(tenant), "booking.twin_noted", booking.uuid(), data).await
}
