//! Events as they are written: new, moved, cancelled. A change leaves everything else of an event as it is.

use berth_icalendar::{Component, Property};
use berth_sdk::types::{Attendee, CreateRequest, Instant, Interval, MeetingPlace, Part, UpdateRequest};

use super::{
    event::{CUSTOMER, Event, uid},
    ical::stamped,
};

/// Who wrote it (RFC 5545 section 3.7.3).
const PRODUCT: &str = "-//Berth//CalDAV//EN";
/// Stands for the customer's name in the setting.
const NAME: &str = "{name}";

/// A new event.
pub(crate) fn create(request: &CreateRequest, title: &str, now: Instant) -> String {
    let customer = &request.attendee;
    let mut event = Component::new("VEVENT");
    event.properties = vec![
        Property::text("UID", &uid(&request.reference)),
        Property::plain("CREATED", &stamped(now)),
        Property::text("SUMMARY", &title.replace(NAME, &customer.name)),
        Property::text("DESCRIPTION", &description(request)),
        Property::plain("STATUS", "CONFIRMED"),
        Property::plain("TRANSP", "OPAQUE"),
        Property::plain("SEQUENCE", "0"),
        mark_of(customer),
    ];
    put(&mut event, request.when);
    touch(&mut event, now);
    let mut calendar = Component::new("VCALENDAR");
    calendar.properties = vec![
        Property::plain("VERSION", "2.0"),
        Property::text("PRODID", PRODUCT),
        Property::plain("CALSCALE", "GREGORIAN"),
    ];
    calendar.parts.push(event);
    calendar.write()
}

/// Who comes, for us.
fn mark_of(customer: &Attendee) -> Property {
    let mailbox =
        customer.email.as_ref().map_or_else(|| "mailto:".to_owned(), |email| format!("mailto:{email}"));
    let mut parameters = vec![("CN", customer.name.as_str()), ("X-TIME-ZONE", customer.time_zone.as_str())];
    parameters.extend(customer.phone.as_deref().map(|phone| ("X-PHONE", phone)));
    parameters.extend(customer.language.as_deref().map(|language| ("LANGUAGE", language)));
    Property::with(CUSTOMER, &parameters, &without_breaks(&mailbox))
}

/// What people shall read in the event: who comes, and what they said.
fn description(request: &CreateRequest) -> String {
    let customer = &request.attendee;
    let who = [Some(&customer.name), customer.email.as_ref(), customer.phone.as_ref()];
    let mut lines: Vec<String> = who.into_iter().flatten().filter(|line| !line.is_empty()).cloned().collect();
    lines.extend(request.guests.iter().map(|guest| format!("+ {guest}")));
    lines.extend(request.answers.iter().map(|answer| {
        // JSON text of a text is read without its quotes.
        let value = serde_json::from_str::<String>(&answer.value).unwrap_or_else(|_| answer.value.clone());
        format!("{}: {value}", answer.question)
    }));
    lines.extend(request.notes.clone());
    lines.join("\n")
}

fn without_breaks(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The event at another time.
pub(crate) fn moved(event: &Event, when: Interval, now: Instant) -> String {
    changed(event, now, |event| put(event, when))
}

/// The event with these parts written on it.
pub(crate) fn updated(
    event: &Event,
    request: &UpdateRequest,
    when: Interval,
    title: &str,
    now: Instant,
) -> String {
    let anew = request.made_anew("", when);
    changed(event, now, |event| {
        if request.changes(Part::Attendee) {
            event.set(Property::text("SUMMARY", &title.replace(NAME, &anew.attendee.name)));
            event.set(mark_of(&anew.attendee));
        }
        if request.beyond(&[Part::Location]).is_some() {
            event.set(Property::text("DESCRIPTION", &description(&anew)));
        }
        if request.changes(Part::Location) {
            let place = match &request.location {
                Some(MeetingPlace::Address(text) | MeetingPlace::Link(text)) => Some(text),
                Some(MeetingPlace::Phone(number)) => number.as_ref().or(anew.attendee.phone.as_ref()),
                Some(MeetingPlace::Conferencing) | None => None,
            };
            match place {
                Some(place) => event.set(Property::text("LOCATION", place)),
                None => event.remove("LOCATION"),
            }
        }
    })
}

/// The event, cancelled but kept: it takes no time any more.
pub(crate) fn cancelled(event: &Event, reason: Option<&str>, now: Instant) -> String {
    changed(event, now, |event| {
        event.set(Property::plain("STATUS", "CANCELLED"));
        event.set(Property::plain("TRANSP", "TRANSPARENT"));
        if let Some(reason) = reason {
            event.set(Property::text("COMMENT", reason));
        }
    })
}

/// Change the main event, and count it (RFC 5545 section 3.8.7.4).
fn changed(event: &Event, now: Instant, change: impl FnOnce(&mut Component)) -> String {
    let mut calendar = event.calendar.clone();
    let events = || event.calendar.parts.iter().enumerate().filter(|(_, part)| part.name == "VEVENT");
    let main =
        events().find(|(_, part)| part.property("RECURRENCE-ID").is_none()).or_else(|| events().next());
    if let Some(part) = main.and_then(|(at, _)| calendar.parts.get_mut(at)) {
        change(part);
        let sequence = part.property("SEQUENCE").and_then(|p| p.value().parse::<u32>().ok());
        part.set(Property::plain("SEQUENCE", &sequence.unwrap_or(0).saturating_add(1).to_string()));
        touch(part, now);
    }
    calendar.write()
}

/// In UTC, so that no zone has to be defined.
fn put(event: &mut Component, when: Interval) {
    event.remove("DURATION");
    event.set(Property::plain("DTSTART", &stamped(when.start)));
    event.set(Property::plain("DTEND", &stamped(when.end)));
}

fn touch(event: &mut Component, now: Instant) {
    event.set(Property::plain("DTSTAMP", &stamped(now)));
    event.set(Property::plain("LAST-MODIFIED", &stamped(now)));
}

#[cfg(test)]
mod tests {
    use berth_icalendar::clocks::Clock;
    use berth_sdk::{
        testing::create_request,
        time,
        types::{Answer, Booking, BookingStatus},
    };

    use super::{
        super::reading::{Own, Reading},
        *,
    };

    fn at(text: &str) -> i64 {
        time::parse(text).unwrap()
    }

    fn request() -> CreateRequest {
        let start = at("2030-01-05T09:00:00Z");
        let half_hour = Interval { start, end: start + 30 * time::MINUTE };
        let mut request = create_request("b-1-create", "b_1", "/eve/work/", half_hour);
        request.attendee.name = "Ada \"A\" Nowak; Müller".to_owned();
        request.attendee.phone = Some("+48600100200".to_owned());
        request.attendee.language = Some("pl".to_owned());
        request.guests = vec!["bob@example.com".to_owned()];
        request.answers = vec![
            Answer { question: "topic".to_owned(), value: "\"first, visit\"".to_owned() },
            Answer { question: "kids".to_owned(), value: "2".to_owned() },
        ];
        request.notes = Some("By bike".to_owned());
        request
    }

    fn read(text: &str) -> (Event, Booking) {
        let event = Event::read("/eve/work/a.ics".to_owned(), None, text).unwrap();
        let reading = Reading { floating: Clock::Utc, own: Own::default(), tentative_is_busy: true };
        let booking = event.booking("/eve/work/", &reading).unwrap();
        (event, booking)
    }

    #[test]
    fn what_is_created_reads_as_it_was_asked() {
        let request = request();
        let (event, booking) = read(&create(&request, "Visit of {name}", at("2030-01-02T09:00:00Z")));
        assert_eq!((booking.reference.as_deref(), booking.when), (Some("b_1"), request.when));
        assert_eq!(booking.title.as_deref(), Some("Visit of Ada \"A\" Nowak; Müller"));
        assert_eq!(booking.attendees, [request.attendee]);
        let main = event.main().unwrap();
        let told = main.text("DESCRIPTION").unwrap();
        assert!(told.ends_with("+ bob@example.com\ntopic: first, visit\nkids: 2\nBy bike"), "{told}");
        for (name, value) in [("SEQUENCE", "0"), ("DTSTAMP", "20300102T090000Z"), ("TRANSP", "OPAQUE")] {
            assert_eq!(main.property(name).unwrap().value(), value);
        }
        for required in ["UID", "DTSTAMP", "DTSTART", "DTEND"] {
            assert_eq!(main.properties(required).count(), 1);
        }
        let mut nobody = self::request();
        nobody.attendee.email = Some("a\r\nATTENDEE:mailto:x@y".to_owned());
        let (event, _) = read(&create(&nobody, "t", 0));
        assert!(event.main().unwrap().property("ATTENDEE").is_none(), "no line can be smuggled in");
    }

    #[test]
    fn a_move_keeps_what_others_wrote() {
        let text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:b_1@berth\nRECURRENCE-ID:20300106T090000Z\nDTSTART:20300106T090000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:b_1@berth\nDTSTAMP:20300101T000000Z\nDTSTART;TZID=X:20300105T100000\nDURATION:PT30M\nSEQUENCE:4\nX-APPLE-NOTE;a=b:kept\nBEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
        let event = Event::read("a".to_owned(), None, text).unwrap();
        let start = at("2030-01-07T12:00:00Z");
        let (after, booking) = read(&moved(&event, Interval { start, end: start + time::HOUR }, start));
        assert_eq!((booking.when.start, booking.when.end), (start, start + time::HOUR));
        let main = after.main().unwrap();
        assert_eq!(main.property("SEQUENCE").unwrap().value(), "5");
        assert_eq!(main.property("X-APPLE-NOTE").unwrap().parameter("A").as_deref(), Some("b"));
        assert!(main.property("DURATION").is_none());
        assert_eq!(main.all("VALARM").count(), 1);
        assert_eq!(after.calendar.parts[0], event.calendar.parts[0], "the exception is as it was");
    }

    #[test]
    fn what_is_written_on_it_changes_and_the_rest_stays() {
        let asked = request();
        let (event, before) = read(&create(&asked, "Visit of {name}", 0));
        let mut update = UpdateRequest {
            idempotency_key: "k".to_owned(),
            id: "a".to_owned(),
            reference: "b_1".to_owned(),
            changed: vec![Part::Attendee, Part::Location],
            attendee: Attendee { name: "Bea".to_owned(), ..asked.attendee },
            guests: Vec::new(),
            answers: Vec::new(),
            notes: Some("By train".to_owned()),
            location: Some(MeetingPlace::Address("Pier 1; 2nd floor".to_owned())),
        };
        let (after, booking) = read(&updated(&event, &update, before.when, "Visit of {name}", 0));
        assert_eq!((booking.title.as_deref(), booking.when), (Some("Visit of Bea"), before.when));
        assert_eq!(booking.attendees, [update.attendee.clone()]);
        assert_eq!(
            (booking.location.as_deref(), &booking.reference),
            (Some("Pier 1; 2nd floor"), &before.reference)
        );
        let told = after.main().unwrap().text("DESCRIPTION").unwrap();
        assert!(told.starts_with("Bea\n") && told.ends_with("By train"), "{told}");
        (update.changed, update.location) = (vec![Part::Location], None);
        let (_, booking) = read(&updated(&after, &update, before.when, "t", 0));
        assert_eq!((booking.location, booking.title.as_deref()), (None, Some("Visit of Bea")));
    }

    #[test]
    fn a_cancelled_event_takes_no_time() {
        let (event, _) = read(&create(&request(), "t", 0));
        let (after, booking) = read(&cancelled(&event, Some("ill, sorry"), time::DAY));
        assert_eq!(booking.status, BookingStatus::Cancelled);
        assert_eq!(booking.cancellation_reason.as_deref(), Some("ill, sorry"));
        assert_eq!(after.main().unwrap().property("LAST-MODIFIED").unwrap().value(), "19700102T000000Z");
        assert_eq!(after.main().unwrap().property("TRANSP").unwrap().value(), "TRANSPARENT");
        assert_eq!(after.main().unwrap().property("SEQUENCE").unwrap().value(), "1");
    }
}
