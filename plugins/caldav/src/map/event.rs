//! Events as bookings.

use berth_icalendar::{
    Component, Property,
    clocks::Clocks,
    event::{Extent, Unreadable},
};
use berth_sdk::{
    Result,
    icalendar::{Known, interval},
    log, time,
    types::{Attendee, Booking, BookingStatus, Instant, ProviderError},
};
use serde_json::json;

use super::{ical, mailbox::mailbox, reading::Reading};

/// End of the UID of every event of ours, in calendars as in the invitations that Berth sends: it is one event.
const UID_END: &str = "@berth";
/// The customer. An `ATTENDEE` would make the server write to them (RFC 6638), which is Berth's business.
pub(super) const CUSTOMER: &str = "X-BERTH-CUSTOMER";

/// The UID of the event of a booking.
pub(crate) fn uid(reference: &str) -> String {
    format!("{reference}{UID_END}")
}

/// An event as it lies in the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its booking id: where it lies.
    pub(crate) id: String,
    /// The tag by which a change can be bound to this state.
    pub(crate) etag: Option<String>,
    /// When the server last wrote it, where it says so. What the event itself says is of the clocks of whoever changed it, and
    /// puts nothing in order.
    modified: Option<Instant>,
    pub(crate) calendar: Component,
}

impl Event {
    /// Read one.
    pub(crate) fn read(id: String, etag: Option<&str>, text: &str) -> Result<Self> {
        let calendar = ical::read(text)?;
        Ok(Self { id, etag: etag.map(str::to_owned), modified: None, calendar })
    }

    /// With the time of the last change, an HTTP date.
    pub(crate) fn modified(self, date: Option<&str>) -> Self {
        Self { modified: date.and_then(time::parse_http_date), ..self }
    }

    /// The event itself: of a series what all of it has in common. None in a task or a journal.
    pub(crate) fn main(&self) -> Option<&Component> {
        let all = || self.calendar.all("VEVENT");
        all().find(|event| event.property("RECURRENCE-ID").is_none()).or_else(|| all().next())
    }

    /// Berth's reference, if it is ours.
    pub(crate) fn reference(&self) -> Option<String> {
        let uid = self.main()?.text("UID")?;
        uid.strip_suffix(UID_END).filter(|reference| !reference.is_empty()).map(str::to_owned)
    }

    /// As a booking.
    pub(crate) fn booking(&self, event_type: &str, reading: &Reading) -> Result<Booking> {
        let unusable = |why: &str| {
            log::warn(&format!("an event {why}"));
            ProviderError::Unavailable(None)
        };
        let main = self.main().ok_or_else(|| unusable("holds no VEVENT"))?;
        let reference = self.reference();
        let clocks = Clocks::new(&self.calendar, &Known, reading.floating.clone());
        // Of what others write the known part is enough, as for busy times.
        let extent = match Extent::of(main, &clocks) {
            Err(_) if reference.is_none() => Extent::known_part(main, &clocks),
            extent => extent,
        };
        let when = extent.and_then(|extent| extent.at(extent.start, &clocks).ok_or(Unreadable::Beyond));
        let when = when.map_err(|why| unusable(&why.to_string()))?;
        let status = if main.says("STATUS", "CANCELLED") {
            BookingStatus::Cancelled
        } else if reference.is_none() && !reading.takes_time(main) {
            // What takes no time is for Berth as good as none; ours takes place however it is shown.
            BookingStatus::Cancelled
        } else if main.says("STATUS", "TENTATIVE") {
            BookingStatus::Pending
        } else {
            BookingStatus::Confirmed
        };
        Ok(Booking {
            id: self.id.clone(),
            // What others write into the calendar is nobody's booking of it.
            event_type: reference.is_some().then(|| event_type.to_owned()),
            reference,
            status,
            when: interval(when),
            title: main.text("SUMMARY"),
            attendees: attendees(main),
            location: main.text("LOCATION"),
            cancellation_reason: main.text("COMMENT").filter(|_| status == BookingStatus::Cancelled),
            rescheduled_from: None,
            rescheduled_to: None,
            updated_at: self.modified,
            raw: json!({ "href": self.id, "etag": self.etag, "calendar": self.calendar.write() }).to_string(),
        })
    }
}

/// What is left of an event that is gone: where it lay.
pub(crate) fn gone(id: &str) -> Booking {
    Booking::gone(id, json!({ "href": id }).to_string())
}

/// The customer, or whoever a person invited to the event.
fn attendees(event: &Component) -> Vec<Attendee> {
    let of = |name: &str| -> Vec<Attendee> { event.properties(name).map(attendee).collect() };
    let ours = of(CUSTOMER);
    if ours.is_empty() { of("ATTENDEE") } else { ours }
}

fn attendee(property: &Property) -> Attendee {
    let some = |name: &str| property.parameter(name).filter(|text| !text.is_empty());
    let email = mailbox(property.value()).map(str::to_owned);
    Attendee {
        name: some("CN").or_else(|| email.clone()).unwrap_or_default(),
        email,
        phone: some("X-PHONE"),
        time_zone: some("X-TIME-ZONE").unwrap_or_else(|| "UTC".to_owned()),
        language: some("LANGUAGE"),
    }
}

#[cfg(test)]
mod tests {
    use berth_icalendar::clocks::Clock;

    use super::{super::reading::Own, *};

    fn utc() -> Reading {
        Reading { floating: Clock::Utc, own: Own::default(), tentative_is_busy: true }
    }

    fn event(lines: &str) -> Event {
        let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\n{lines}\nEND:VCALENDAR\n");
        Event::read("/eve/work/a.ics".to_owned(), Some("\"1\""), &text).unwrap()
    }

    fn vevent(lines: &str) -> Event {
        event(&format!("BEGIN:VEVENT\nUID:b_1@berth\n{lines}\nEND:VEVENT"))
    }

    const HALF_HOUR: &str = "DTSTART:20300105T090000Z\nDTEND:20300105T093000Z";
    const WARSAW: &str = "BEGIN:VTIMEZONE\nTZID:Europe/Warsaw\nBEGIN:STANDARD\nDTSTART:19961027T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:19810329T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\nEND:VTIMEZONE\n";

    #[test]
    fn an_event_is_a_booking() {
        let lines = format!(
            "{HALF_HOUR}\nSUMMARY:Booking: Ada\nLOCATION:Studio\\, 2nd floor\nX-BERTH-CUSTOMER;CN=Ada Nowak;X-TIME-ZONE=Europe/Warsaw;X-PHONE=\"+48600100200\":mailto:ada@example.com"
        );
        let booking = vevent(&lines).booking("/eve/work/", &utc()).unwrap();
        assert_eq!((booking.id.as_str(), booking.reference.as_deref()), ("/eve/work/a.ics", Some("b_1")));
        assert_eq!(booking.status, BookingStatus::Confirmed);
        assert_eq!(time::format(booking.when.start), "2030-01-05T09:00:00Z");
        assert_eq!(booking.when.end - booking.when.start, 30 * time::MINUTE);
        assert_eq!(booking.location.as_deref(), Some("Studio, 2nd floor"));
        let [ada] = booking.attendees.as_slice() else { panic!("{booking:?}") };
        assert_eq!((ada.name.as_str(), ada.email.as_deref()), ("Ada Nowak", Some("ada@example.com")));
        assert_eq!((ada.time_zone.as_str(), ada.phone.as_deref()), ("Europe/Warsaw", Some("+48600100200")));
        let read = |date| vevent(HALF_HOUR).modified(date).booking("c", &utc()).unwrap().updated_at;
        assert_eq!(read(Some("Wed, 02 Jan 2030 09:00:00 GMT")), time::parse("2030-01-02T09:00:00Z"));
        assert_eq!((read(None), read(Some("soon"))), (None, None));
    }

    #[test]
    fn states() {
        for (line, expected) in [
            ("STATUS:CONFIRMED", BookingStatus::Confirmed),
            ("STATUS:tentative", BookingStatus::Pending),
            ("STATUS:CANCELLED\nCOMMENT:ill", BookingStatus::Cancelled),
            ("X-NONE:1", BookingStatus::Confirmed),
        ] {
            let booking = vevent(&format!("{HALF_HOUR}\n{line}")).booking("c", &utc()).unwrap();
            let reason = (expected == BookingStatus::Cancelled).then_some("ill");
            assert_eq!((booking.status, booking.cancellation_reason.as_deref()), (expected, reason));
        }
    }

    #[test]
    fn a_note_of_others_takes_no_time_and_ours_takes_place() {
        let lines = format!("{HALF_HOUR}\nTRANSP:TRANSPARENT");
        assert_eq!(vevent(&lines).booking("c", &utc()).unwrap().status, BookingStatus::Confirmed);
        let note = event(&format!("BEGIN:VEVENT\nUID:x\n{lines}\nEND:VEVENT"));
        assert_eq!(note.booking("c", &utc()).unwrap().status, BookingStatus::Cancelled);
    }

    #[test]
    fn times_that_a_person_moved_it_to() {
        let moved = |time: &str| {
            event(&format!("{WARSAW}BEGIN:VEVENT\nUID:b_1@berth\n{time}\nEND:VEVENT"))
                .booking("c", &utc())
                .map(|b| {
                    format!("{} {}", time::format(b.when.start), (b.when.end - b.when.start) / time::MINUTE)
                })
        };
        for (time, expected) in [
            ("DTSTART;TZID=Europe/Warsaw:20300705T110000\nDURATION:PT45M", "2030-07-05T09:00:00Z 45"),
            (
                "DTSTART;TZID=\"Europe/Warsaw\":20300105T110000\nDTEND;TZID=Europe/Warsaw:20300105T120000",
                "2030-01-05T10:00:00Z 60",
            ),
            ("DTSTART;VALUE=DATE:20300105", "2030-01-05T00:00:00Z 1440"),
            ("DTSTART:20300105T110000", "2030-01-05T11:00:00Z 0"),
        ] {
            assert_eq!(moved(time).as_deref(), Ok(expected));
        }
        for time in [
            "DTSTART;TZID=Mars:20300105T110000",
            "DTSTART:soon",
            "DTEND:20300105T110000Z",
            "DTSTART:20300105T110000Z\nDTEND:20300105T100000Z",
        ] {
            assert_eq!(moved(time), Err(ProviderError::Unavailable(None)), "{time}");
        }
    }

    #[test]
    fn of_a_series_the_whole_counts_and_others_events_are_not_ours() {
        let exception = format!(
            "BEGIN:VEVENT\nUID:x\nRECURRENCE-ID:20300105T090000Z\n{HALF_HOUR}\nSUMMARY:one\nEND:VEVENT\n"
        );
        let series = event(&format!(
            "{exception}BEGIN:VEVENT\nUID:x\n{HALF_HOUR}\nSUMMARY:all\nRRULE:FREQ=DAILY\nEND:VEVENT"
        ));
        let booking = series.booking("c", &utc()).unwrap();
        assert_eq!(
            (booking.title.as_deref(), booking.reference, booking.event_type),
            (Some("all"), None, None)
        );
        assert!(event("BEGIN:VJOURNAL\nUID:t\nEND:VJOURNAL").main().is_none());
        let invited =
            vevent(&format!("{HALF_HOUR}\nATTENDEE;CN=Bob:MAILTO:bob@example.com\nATTENDEE:urn:uuid:1"));
        let names: Vec<_> =
            invited.booking("c", &utc()).unwrap().attendees.into_iter().map(|a| (a.name, a.email)).collect();
        assert_eq!(names, [("Bob".to_owned(), Some("bob@example.com".to_owned())), (String::new(), None)]);
    }
}
