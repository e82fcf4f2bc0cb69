//! Having somebody look at a member's calendar, and noting what is wrong with it.

use berth_model::{
    bookings::booking::Booking, calendars::calendar::CalendarRecord, jobs::kind::JobKind, limits,
};
use berth_store::StoreError;
use serde_json::json;

use crate::calendars::writer::CalendarWriter;

/// How often, in seconds, a reading may have somebody look.
const AGAIN_SECONDS: i64 = 60;

impl CalendarWriter {
    /// Somebody read these calendars of one member and connection, and something was odd: have it looked at.
    pub(crate) async fn look_soon(&self, calendars: &[CalendarRecord]) -> Result<(), StoreError> {
        let Some(first) = calendars.first() else { return Ok(()) };
        let key = (first.tenant, first.member, first.connection);
        let now = self.base.now();
        let since = now.plus_seconds(-AGAIN_SECONDS);
        if self.looked.get(&key).is_some_and(|at| at > since) {
            return Ok(());
        }
        self.looked.insert(key, now);
        self.look_at(first).await
    }

    /// A booking was cancelled or moved: what was open about it may be over.
    pub(crate) async fn look_after(&self, booking: &Booking) -> Result<(), StoreError> {
        let open = self.base.store().open_clashes_of(booking.tenant, booking.id).await?;
        if open.is_empty() {
            return Ok(());
        }
        let calendars = self.base.store().calendars_of(booking.tenant, booking.members().collect()).await?;
        for calendar in calendars.iter().filter(|calendar| calendar.reads) {
            if open.iter().any(|clash| clash.connection == calendar.connection) {
                self.look_at(calendar).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn look_at(&self, calendar: &CalendarRecord) -> Result<(), StoreError> {
        let key = format!("look:{}:{}", calendar.member, calendar.connection);
        let job =
            self.queue.job(calendar.tenant, JobKind::LookAtCalendar, json!({ "calendar": calendar.id }), key);
        self.queue.enqueue(job).await
    }

    /// What began so is over.
    pub(crate) async fn calendar_works(
        &self,
        calendar: &CalendarRecord,
        trouble: &str,
    ) -> Result<(), StoreError> {
        if calendar.trouble.as_ref().is_some_and(|known| known.starts_with(trouble)) {
            self.calendar_trouble(calendar, None).await?;
        }
        Ok(())
    }

    /// Note what is wrong with a calendar, if that is news.
    pub(crate) async fn calendar_trouble(
        &self,
        calendar: &CalendarRecord,
        trouble: Option<String>,
    ) -> Result<(), StoreError> {
        let trouble = trouble.map(|mut text| {
            text.truncate(text.floor_char_boundary(limits::CALENDAR_TROUBLE_BYTES_MAX));
            text
        });
        if calendar.trouble == trouble {
            return Ok(());
        }
        if let Some(trouble) = &trouble {
            tracing::warn!(calendar = %calendar.id, trouble, "a member's calendar does not work");
        }
        self.base.store().set_calendar_trouble(calendar.tenant, calendar.id, trouble, self.base.now()).await
    }
}
