//! Events in members' calendars that appear over bookings: found whenever such a calendar is read, and by looking now and then where nobody
//! reads it. Each is a conflict for a person, which ends by itself when the event or the booking goes.

use std::collections::BTreeSet;

use berth_model::{
    bookings::booking::Booking,
    calendars::calendar::{CalendarRecord, Meeting, Over, over},
    connections::connection::ConnectionRecord,
    id::{BookingId, CalendarId, MemberId, TenantId},
    limits,
    mirror::sync::{Conflict, ConflictKind},
    problem::{Code, Problem},
    time::{Instant, Interval},
};
use berth_store::{StoreError, records::BookingFilter};
use serde_json::json;

use super::connected::NOT_CHECKED;
use crate::{Outcome, availability::calendar_ids, calendars::Calendars, jobs::queue::JobLease};

/// How the trouble of a calendar begins that cannot be read.
const NOT_READ: &str = "it cannot be read";
impl Calendars {
    /// Look at calendars that nobody has read for a while, of members with bookings to come. How many. To be called now and then, by any
    /// number of replicas.
    pub async fn begin_calendar_looks(&self) -> Outcome<usize> {
        let now = self.base.now();
        let before = now.plus_seconds(-limits::CALENDAR_LOOK_SECONDS);
        let ahead = ahead(now);
        let most = limits::CALENDAR_LOOKS_AT_ONCE;
        let due = self.base.store().claim_calendar_looks(now, before, ahead, most).await?;
        let count = due.len();
        for (tenant, calendar) in due {
            match self.base.store().calendar(tenant, calendar).await {
                Ok(calendar) => self.calendar_writer.look_at(&calendar).await?,
                Err(StoreError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(count)
    }

    /// Compare the calendars of a member over one connection with the member's bookings to come. What cannot be read now is looked at again
    /// with the next turn.
    pub(crate) async fn look_at_calendar(
        &self,
        tenant: TenantId,
        id: CalendarId,
        held: JobLease,
        request_id: &str,
    ) -> Result<(), StoreError> {
        let calendar = self.base.store().calendar(tenant, id).await?;
        let connection = self.base.store().connection(tenant, calendar.connection).await?;
        let mut calendars = self.base.store().calendars_of(tenant, vec![calendar.member]).await?;
        calendars.retain(|other| other.reads && other.connection == calendar.connection);
        let bookings = self.bookings_to_come(&calendar).await?;
        let busy = match bookings.iter().map(|booking| booking.when).reduce(Interval::joined) {
            None => Some(Vec::new()),
            Some(within) => self.look_into(&connection, &calendars, within, request_id).await?,
        };
        if let Some(busy) = busy {
            let found = self.found_over(&connection, &calendars, &bookings, &busy).await?;
            self.note_clashes(&connection, &calendar, &bookings, found).await?;
        }
        self.queue.done(held).await
    }

    async fn bookings_to_come(&self, calendar: &CalendarRecord) -> Result<Vec<Booking>, StoreError> {
        let now = self.base.now();
        let filter = BookingFilter {
            member: Some(calendar.member),
            within: Interval::new(now, ahead(now)).ok(),
            ..BookingFilter::default()
        };
        let most = limits::CALENDAR_LOOK_BOOKINGS_MAX;
        let mut bookings = self.base.store().list_bookings(calendar.tenant, filter, most).await?;
        bookings.retain(|booking| booking.status.is_active());
        Ok(bookings)
    }

    /// What these calendars have in a stretch of time that we did not close, each asked by itself, so that it is known which of them cannot
    /// be read. None: not all of them could be.
    async fn look_into(
        &self,
        connection: &ConnectionRecord,
        calendars: &[CalendarRecord],
        within: Interval,
        request_id: &str,
    ) -> Result<Option<Vec<Interval>>, StoreError> {
        let (mut busy, mut all) = (Vec::new(), true);
        for calendar in calendars {
            let ids = calendar_ids(std::slice::from_ref(calendar));
            let member = self.base.store().member(calendar.tenant, calendar.member).await?;
            let zone = member.time_zone.to_string();
            match self.availability.read_calendars(request_id, connection, ids, within, zone, true).await {
                Ok(told) => {
                    self.calendar_writer.calendar_works(calendar, NOT_READ).await?;
                    self.calendar_writer.calendar_works(calendar, NOT_CHECKED).await?;
                    let others =
                        self.availability.of_others(connection, within, &told, Some(calendar.member)).await;
                    match others {
                        Ok(others) => busy.extend(others),
                        Err(_) => all = false,
                    }
                }
                Err(error) => {
                    all = false;
                    if error.is_definite() {
                        let trouble = format!("{NOT_READ}: {error}");
                        self.calendar_writer.calendar_trouble(calendar, Some(trouble)).await?;
                    }
                }
            }
        }
        busy.sort_unstable();
        busy.dedup();
        Ok(all.then_some(busy))
    }

    /// What lies over each booking. Where our own entry may be joined with what touches it, the events that were read one by one decide.
    async fn found_over(
        &self,
        connection: &ConnectionRecord,
        calendars: &[CalendarRecord],
        bookings: &[Booking],
        busy: &[Interval],
    ) -> Result<Vec<(BookingId, Interval)>, StoreError> {
        let mut written = BTreeSet::new();
        for calendar in calendars {
            let entries = self.base.store().calendar_entries(calendar.tenant, calendar.id).await?;
            written.extend(entries.into_iter().map(|entry| entry.booking));
        }
        let is_written =
            |booking: &Booking| booking.connection == Some(connection.id) || written.contains(&booking.id);
        let mut meetings: Vec<Meeting> = bookings
            .iter()
            .map(|booking| Meeting { when: booking.when, written: is_written(booking) })
            .collect();
        // One that moves is at both times until its provider and its calendars know.
        meetings.extend(bookings.iter().filter_map(|booking| {
            Some(Meeting { when: booking.previous_when?, written: is_written(booking) })
        }));
        let mut found = Vec::new();
        for Over { meeting, when, certain } in over(&meetings, busy) {
            let Some(booking) = bookings.get(meeting) else { continue };
            if certain {
                found.push((booking.id, when));
            } else {
                // It may begin before the booking, but not before what it is joined with, nor is more kept free before it.
                let joined = when.joined(booking.when).widened(limits::BUFFER_MINUTES_MAX, 0);
                let events =
                    self.base.store().mirrored_within(connection.tenant, connection.id, joined).await?;
                let event =
                    events.into_iter().map(|event| (event.booking, event.external)).find(|(of, event)| {
                        of.is_none() && event.status.is_active() && event.when.overlaps(booking.when)
                    });
                found.extend(event.map(|(_, event)| (booking.id, event.when)));
            }
        }
        Ok(found)
    }

    /// Open what is new, and end what is over.
    async fn note_clashes(
        &self,
        connection: &ConnectionRecord,
        calendar: &CalendarRecord,
        bookings: &[Booking],
        found: Vec<(BookingId, Interval)>,
    ) -> Result<(), StoreError> {
        let mut standing = BTreeSet::new();
        for (id, when) in found {
            let Some(booking) = bookings.iter().find(|booking| booking.id == id) else { continue };
            let clash = self.clash(connection, calendar.member, booking, when);
            standing.insert(clash.dedup_key());
            match self.base.store().last_conflict_like(&clash).await? {
                Some(known)
                    if !known.resolved && known.ours == clash.ours && known.theirs == clash.theirs => {}
                // A person has decided about these very versions.
                Some(known)
                    if known.resolved_by.as_deref().is_some_and(|by| by != "system")
                        && known.ours == clash.ours
                        && known.theirs == clash.theirs => {}
                _ => drop(self.conflicts.open_conflict(connection, clash, Some(booking), None).await?),
            }
        }
        for open in self.base.store().open_clashes(calendar.tenant, calendar.connection).await? {
            let of_this_member = open.theirs.get("member") == Some(&json!(calendar.member));
            if of_this_member && !standing.contains(&open.dedup_key()) {
                self.base
                    .store()
                    .conflict_settled(calendar.tenant, open.dedup_key(), self.base.now())
                    .await?;
            }
        }
        Ok(())
    }

    fn clash(
        &self,
        connection: &ConnectionRecord,
        member: MemberId,
        booking: &Booking,
        when: Interval,
    ) -> Conflict {
        let shared = booking.seats > 1;
        Conflict {
            id: self.base.new_id(),
            tenant: connection.tenant,
            connection: connection.id,
            booking: Some(booking.id),
            external_id: None,
            own_counterpart: false,
            kind: if shared { ConflictKind::Capacity } else { ConflictKind::TimeOverlap },
            ours: json!({ "when": booking.when, "status": booking.status.as_str(), "external_id": booking.external_id }),
            theirs: json!({ "when": when, "member": member }),
            resolved: false,
            resolution: None,
            resolved_by: None,
            detected_at: self.base.now(),
            resolved_at: None,
            findings: 1,
        }
    }
}

/// What `ours` means for an event in somebody's calendar: the booking stands, and the event is for whoever entered it.
pub(crate) fn ours_stands(booking: Option<&Booking>) -> Outcome<()> {
    match booking {
        Some(booking) if booking.status.is_active() => Ok(()),
        _ => Err(Problem::new(
            Code::WrongState,
            "The booking is over, and cannot stand against the event any more.",
        )
        .with_hint("Book again, at a time that is free.")),
    }
}

fn ahead(now: Instant) -> Instant {
    now.plus_seconds(limits::CALENDAR_LOOK_DAYS.saturating_mul(86_400))
}
