//! Members' own calendars: which there are. What they hold is read for availability (`availability::calendars`); bookings are written
//! into them (`calendar_writer`).

use berth_model::{
    calendars::calendar::CalendarRecord,
    connections::connection::{ConnectionRecord, ConnectionState},
    id::{CalendarId, ConnectionId, MemberId},
    limits,
    outbound::provider::{CallError, CancelRequest, ExternalId},
    plugins::plugin::Capabilities,
    problem::{Code, FieldError, Problem},
    time::Interval,
    zone::Zone,
};

use super::entries::entry_key;
use crate::{
    Caller, Outcome,
    calendars::Calendars,
    catalog::at_provider::{FoundThere, named},
};

/// Longest id of a calendar, in bytes.
const CALENDAR_BYTES_MAX: usize = 1_024;

/// How far ahead a calendar is asked to see whether it can be, in minutes.
const CHECKED_MINUTES: u32 = 60;
/// How the trouble of a calendar begins whose provider could not be asked when it was connected.
pub(crate) const NOT_CHECKED: &str = "it is not checked yet";

/// A calendar to be connected.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see CalendarRecord")]
pub struct NewCalendar {
    pub member: MemberId,
    pub connection: ConnectionId,
    pub calendar: ExternalId,
    pub reads: bool,
    pub writes: bool,
}

/// Changes of a calendar; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see CalendarRecord")]
pub struct CalendarPatch {
    pub calendar: Option<ExternalId>,
    pub reads: Option<bool>,
    pub writes: Option<bool>,
}

impl Calendars {
    /// Connect a member's calendar. What the connection's provider cannot do is refused now.
    pub async fn create_calendar(&self, caller: &Caller, new: NewCalendar) -> Outcome<CalendarRecord> {
        let now = self.base.now();
        let mut calendar = CalendarRecord {
            id: self.base.new_id(),
            tenant: caller.tenant,
            member: new.member,
            connection: new.connection,
            calendar: new.calendar,
            reads: new.reads,
            writes: new.writes,
            blocks: false,
            trouble: None,
            created_at: now,
            updated_at: now,
        };
        let known = self.base.store().calendars_of(caller.tenant, vec![new.member]).await?;
        if known.len() >= limits::MEMBER_CALENDARS_MAX {
            let most = limits::MEMBER_CALENDARS_MAX;
            return Err(Problem::new(Code::Invalid, format!("A member has at most {most} calendars.")));
        }
        let (connection, capabilities) = self.check_calendar(caller, &calendar).await?;
        calendar.blocks = capabilities.blocks;
        calendar.trouble = self.check_calendar_there(caller, &connection, &calendar, capabilities).await?;
        self.base.store().create_calendar(calendar.clone(), self.base.audit(caller)).await?;
        self.cache.invalidate(calendar.connection);
        self.calendar_writer.times_changed(caller.tenant, vec![calendar.member]).await?;
        Ok(calendar)
    }

    /// Its connection, and what the provider can do.
    async fn check_calendar(
        &self,
        caller: &Caller,
        calendar: &CalendarRecord,
    ) -> Outcome<(ConnectionRecord, Capabilities)> {
        let (mut errors, mut found) = (Vec::new(), None);
        if self.base.store().member(caller.tenant, calendar.member).await.is_err() {
            errors.push(FieldError::new("/member_id", "no such member"));
        }
        if calendar.calendar.len() > CALENDAR_BYTES_MAX {
            errors.push(FieldError::new("/calendar", format!("must be at most {CALENDAR_BYTES_MAX} bytes")));
        }
        if !calendar.reads && !calendar.writes {
            errors.push(FieldError::new("/reads", "a calendar is read, written, or both"));
        }
        match self.base.store().connection(caller.tenant, calendar.connection).await {
            Err(_) => errors.push(FieldError::new("/connection_id", "no such connection")),
            Ok(connection) if connection.state == ConnectionState::Disconnected => {
                errors.push(FieldError::new("/connection_id", "this connection is disconnected"));
            }
            Ok(connection) => {
                let capabilities = self.providers.capabilities(&connection.plugin).unwrap_or_default();
                if calendar.reads && !capabilities.availability {
                    errors.push(FieldError::new("/reads", "the provider says no busy times"));
                }
                if calendar.writes && !capabilities.bookings && !capabilities.blocks {
                    errors.push(FieldError::new("/writes", "the provider takes no bookings"));
                }
                if calendar.writes && calendar.calendar.is_empty() {
                    let known = "is needed to write; see GET /api/booking-providers/{id}/event-types";
                    errors.push(FieldError::new("/calendar", known));
                }
                found = Some((connection, capabilities));
            }
        }
        match found {
            Some(found) if errors.is_empty() => Ok(found),
            _ => Err(Problem::invalid(errors)),
        }
    }

    /// Is it there, and can it be written? Refused where its provider says no; where it cannot be asked now, that is noted, and it is looked
    /// at again.
    async fn check_calendar_there(
        &self,
        caller: &Caller,
        connection: &ConnectionRecord,
        calendar: &CalendarRecord,
        capabilities: Capabilities,
    ) -> Outcome<Option<String>> {
        if calendar.calendar.is_empty() {
            return Ok(None);
        }
        let refused = |message: String| Err(Problem::invalid(vec![FieldError::new("/calendar", message)]));
        let mut unknown = None;
        if calendar.writes && !capabilities.blocks && capabilities.catalog {
            match self.catalog.find_there(caller, connection, &calendar.calendar).await {
                Ok(FoundThere::Active) => {}
                Ok(FoundThere::Inactive(others)) => {
                    return refused(format!(
                        "this connection does not write to it, but to {}; make a connection for it, or set writes to false",
                        named(&others)
                    ));
                }
                Ok(FoundThere::Missing(others)) => {
                    return refused(format!("the provider has no such calendar; it has {}", named(&others)));
                }
                Err(error) => unknown = Some(error),
            }
        }
        if capabilities.availability {
            let soon = Interval::of_minutes(self.base.now(), CHECKED_MINUTES);
            let ids = vec![calendar.calendar.clone()];
            let zone = Zone::UTC.to_string();
            match self
                .availability
                .read_calendars(&caller.request_id, connection, ids, soon, zone, false)
                .await
            {
                Ok(_) | Err(CallError::NotOffered(_)) => {}
                Err(error) if error.is_definite() => {
                    return refused(format!(
                        "the provider refuses to say its busy times: {}",
                        Problem::from(&error).detail
                    ));
                }
                Err(error) => unknown = Some(error),
            }
        }
        Ok(unknown.map(|error| format!("{NOT_CHECKED}: {}", Problem::from(&error).detail)))
    }

    /// A calendar.
    pub async fn calendar(&self, caller: &Caller, id: CalendarId) -> Outcome<CalendarRecord> {
        Ok(self.base.store().calendar(caller.tenant, id).await?)
    }

    /// Calendars by id.
    pub async fn list_calendars(
        &self,
        caller: &Caller,
        after: Option<CalendarId>,
        limit: u32,
    ) -> Outcome<Vec<CalendarRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_calendars(caller.tenant, after, limit).await?)
    }

    /// Change which calendar it is, and what it is for. Entries that were written into another one stay there; times that were closed
    /// are opened.
    pub async fn update_calendar(
        &self,
        caller: &Caller,
        id: CalendarId,
        patch: CalendarPatch,
    ) -> Outcome<CalendarRecord> {
        let before = self.calendar(caller, id).await?;
        let mut calendar = before.clone();
        crate::apply!(calendar, patch, calendar, reads, writes);
        calendar.updated_at = self.base.now();
        let (connection, capabilities) = self.check_calendar(caller, &calendar).await?;
        let is_more = (calendar.reads && !before.reads) || (calendar.writes && !before.writes);
        if is_more || before.calendar != calendar.calendar {
            let capabilities = Capabilities { blocks: calendar.blocks, ..capabilities };
            calendar.trouble =
                self.check_calendar_there(caller, &connection, &calendar, capabilities).await?;
        }
        if before.blocks && before.calendar != calendar.calendar {
            let context = self.contexts.call_context(&connection, None, &caller.request_id).await?;
            self.calendar_writer.open_all(&context, &before).await?;
        }
        self.base.store().update_calendar(calendar.clone(), self.base.audit(caller)).await?;
        self.cache.invalidate(calendar.connection);
        if calendar.blocks {
            self.calendar_writer.write_blocks_soon(caller.tenant, id).await?;
        }
        Ok(calendar)
    }

    /// Disconnect a calendar. Entries of bookings to come are taken out of it and closed times opened, as far as the provider answers.
    pub async fn delete_calendar(&self, caller: &Caller, id: CalendarId) -> Outcome<()> {
        let calendar = self.calendar(caller, id).await?;
        let entries = self.base.store().calendar_entries(caller.tenant, id).await?;
        let connection = self.connections.connection(caller, calendar.connection).await?;
        let context = self.contexts.call_context(&connection, None, &caller.request_id).await.ok();
        if let Some(context) = context.as_ref().filter(|_| calendar.blocks) {
            self.calendar_writer.open_all(context, &calendar).await?;
        }
        self.base.store().delete_calendar(caller.tenant, id, self.base.audit(caller)).await?;
        self.cache.invalidate(calendar.connection);
        let Some(context) = context else { return Ok(()) };
        for entry in entries {
            let booking = self.base.store().booking(caller.tenant, entry.booking).await?;
            let Some(external_id) = entry.external_id.filter(|_| booking.when.end() > self.base.now()) else {
                continue;
            };
            let request = CancelRequest {
                idempotency_key: entry_key(&booking, id, "gone"),
                id: external_id,
                reason: None,
            };
            let cx = self.contexts.next_call(&context);
            if let Err(error) = self.providers.cancel_booking(&cx, request).await {
                tracing::warn!(calendar = %id, outcome = error.outcome(), "an entry was not taken out of a calendar");
            }
        }
        Ok(())
    }
}
