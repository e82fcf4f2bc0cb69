//! Bookings as the REST API shows them.
//!
//! In a seated booking each attendee has a seat, and each seat is a booking to Berth: its id is `uid:seatUid`.

use berth_sdk::{
    Result,
    json::read,
    types::{Attendee, Booking, BookingStatus, Instant, Interval, ProviderError},
};
use serde::Deserialize;
use serde_json::Value;

use super::{reference::REFERENCE, time::instant};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CalBooking {
    uid: String,
    status: String,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end: i64,
    title: Option<String>,
    event_type_id: Option<i64>,
    event_type: Option<EventTypeRef>,
    #[serde(default)]
    attendees: Vec<CalAttendee>,
    location: Option<Value>,
    meeting_url: Option<String>,
    metadata: Option<Value>,
    cancellation_reason: Option<String>,
    rescheduled_from_uid: Option<String>,
    rescheduled_to_uid: Option<String>,
    seat_uid: Option<String>,
}

#[derive(Deserialize)]
struct EventTypeRef {
    id: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CalAttendee {
    name: Option<String>,
    email: Option<String>,
    display_email: Option<String>,
    phone_number: Option<String>,
    time_zone: Option<String>,
    language: Option<String>,
    #[serde(default)]
    absent: bool,
    seat_uid: Option<String>,
    metadata: Option<Value>,
}

/// `uid:seatUid` or `uid`.
pub(crate) fn split_id(id: &str) -> (&str, Option<&str>) {
    id.split_once(':').map_or((id, None), |(uid, seat)| (uid, Some(seat)))
}

/// The inverse of [`split_id`].
fn join_id(uid: &str, seat: Option<&str>) -> String {
    seat.map_or_else(|| uid.to_owned(), |seat| format!("{uid}:{seat}"))
}

/// Last change of an item of a list.
pub(crate) fn updated_at(item: &Value) -> Option<Instant> {
    instant(item.get("updatedAt"))
}

/// Every booking that an item stands for: one, or one per seat.
pub(crate) fn all(item: &Value) -> Result<Vec<Booking>> {
    let mut b: CalBooking = read("booking", item)?;
    let attendees = std::mem::take(&mut b.attendees);
    let (seated, plain): (Vec<_>, Vec<_>) = attendees.into_iter().partition(|a| a.seat_uid.is_some());
    if seated.is_empty() {
        return Ok(vec![booking(&b, None, plain, item)]);
    }
    let seats = seated.into_iter().map(|a| {
        let seat = a.seat_uid.clone();
        booking(&b, seat.as_deref(), vec![a], item)
    });
    Ok(seats.collect())
}

/// The booking with this id among the items of an answer. Without an id the one that was just made: its seat is named at
/// the top of the answer.
///
/// A seat that is gone was cancelled; then the booking says so and has no attendees.
pub(crate) fn pick(items: &[Value], id: Option<&str>) -> Result<Booking> {
    let wanted = id.map(split_id);
    let is_wanted = |item: &&Value| item.get("uid").and_then(Value::as_str) == wanted.map(|(uid, _)| uid);
    let item = items.iter().find(is_wanted).or_else(|| items.first());
    let item = item.ok_or(ProviderError::Unavailable(None))?;
    let shell: CalBooking = read("booking", item)?;
    let seat = wanted.and_then(|(_, seat)| seat.map(ToOwned::to_owned)).or_else(|| shell.seat_uid.clone());
    let mut all = all(item)?;
    let Some(seat) = seat else {
        // Somebody asks for the whole of a seated booking.
        let attendees = all.iter().flat_map(|b| b.attendees.clone()).collect();
        let first = all.drain(..).next().ok_or(ProviderError::Unavailable(None))?;
        return Ok(Booking { id: shell.uid, attendees, ..first });
    };
    let id = join_id(&shell.uid, Some(&seat));
    Ok(all.into_iter().find(|b| b.id == id).unwrap_or_else(|| {
        let gone = booking(&shell, Some(&seat), Vec::new(), item);
        Booking { status: BookingStatus::Cancelled, ..gone }
    }))
}

fn booking(b: &CalBooking, seat: Option<&str>, attendees: Vec<CalAttendee>, item: &Value) -> Booking {
    let reference =
        |metadata: &Option<Value>| metadata.as_ref()?.get(REFERENCE)?.as_str().map(ToOwned::to_owned);
    let of_seat = seat.and_then(|_| attendees.first()).and_then(|a| reference(&a.metadata));
    let absent = !attendees.is_empty() && attendees.iter().all(|a| a.absent);
    let event_type = b.event_type.as_ref().and_then(|e| e.id).or(b.event_type_id);
    Booking {
        id: join_id(&b.uid, seat),
        reference: of_seat.or_else(|| reference(&b.metadata)),
        status: status(&b.status, absent),
        when: Interval { start: b.start, end: b.end },
        event_type: event_type.map(|id| id.to_string()),
        title: b.title.clone(),
        attendees: attendees.into_iter().map(attendee).collect(),
        location: location(b.location.as_ref()).or_else(|| b.meeting_url.clone()),
        cancellation_reason: b.cancellation_reason.clone().filter(|r| !r.is_empty()),
        rescheduled_from: b.rescheduled_from_uid.clone(),
        rescheduled_to: b.rescheduled_to_uid.clone(),
        updated_at: updated_at(item),
        raw: item.to_string(),
    }
}

/// `accepted`, `pending`, `cancelled`, `rejected`, in any case. An unknown word counts as confirmed: the time is taken.
pub(super) fn status(text: &str, absent: bool) -> BookingStatus {
    match text.to_ascii_lowercase().as_str() {
        "cancelled" | "rejected" => BookingStatus::Cancelled,
        "pending" => BookingStatus::Pending,
        _ if absent => BookingStatus::NoShow,
        _ => BookingStatus::Confirmed,
    }
}

fn attendee(a: CalAttendee) -> Attendee {
    Attendee {
        name: a.name.unwrap_or_default(),
        email: a.display_email.or(a.email).filter(|e| !e.is_empty()),
        phone: a.phone_number,
        time_zone: a.time_zone.unwrap_or_else(|| "UTC".to_owned()),
        language: a.language,
    }
}

/// Text for people; `integrations:daily` is a name of Cal.com's own.
pub(super) fn location(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    (!text.is_empty() && !text.starts_with("integrations:")).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use berth_sdk::time;
    use serde_json::json;

    use super::*;

    fn plain() -> Value {
        serde_json::from_str(include_str!("../../fixtures/booking.json")).unwrap()
    }

    fn seated() -> Value {
        json!({"uid": "bk_s", "status": "accepted", "start": "2026-01-05T09:00:00.000Z",
            "end": "2026-01-05T10:00:00.000Z", "eventTypeId": 102, "seatUid": "seat_2", "attendees": [
                {"name": "Ada", "email": "ada@example.com", "timeZone": "UTC", "absent": true, "seatUid": "seat_1",
                    "metadata": {"berth_reference": "r1"}},
                {"name": "Bob", "email": "bob@example.com", "timeZone": "UTC", "absent": false, "seatUid": "seat_2",
                    "metadata": {"berth_reference": "r2"}}]})
    }

    #[test]
    fn a_plain_booking() {
        let b = pick(&[plain()], Some("bk_uid_1")).unwrap();
        assert_eq!((b.id.as_str(), b.reference.as_deref()), ("bk_uid_1", Some("r_1")));
        assert_eq!(b.status, BookingStatus::Confirmed);
        assert_eq!(time::format(b.when.start), "2026-01-05T09:00:00Z");
        assert_eq!(time::format(b.when.end), "2026-01-05T09:30:00Z");
        assert_eq!(b.event_type.as_deref(), Some("101"));
        assert_eq!(b.location.as_deref(), Some("https://app.cal.com/video/x"));
        assert_eq!(b.attendees[0].email.as_deref(), Some("ada@example.com"));
        assert_eq!(b.updated_at, time::parse("2026-01-02T09:00:00Z"));
        assert_eq!(serde_json::from_str::<Value>(&b.raw).unwrap(), plain());
    }

    #[test]
    fn both_ends_of_a_move() {
        let mut new = plain();
        new["uid"] = json!("bk_uid_2");
        new["rescheduledFromUid"] = json!("bk_uid_1");
        let mut old = plain();
        old["status"] = json!("cancelled");
        old["rescheduledToUid"] = json!("bk_uid_2");
        old["cancellationReason"] = json!("");
        let (new, old) = (pick(&[new], None).unwrap(), pick(&[old], None).unwrap());
        assert_eq!(new.rescheduled_from.as_deref(), Some("bk_uid_1"));
        assert_eq!(old.rescheduled_to.as_deref(), Some("bk_uid_2"));
        assert_eq!((old.status, old.cancellation_reason), (BookingStatus::Cancelled, None));
    }

    #[test]
    fn statuses() {
        for (text, absent, expected) in [
            ("accepted", false, BookingStatus::Confirmed),
            ("ACCEPTED", true, BookingStatus::NoShow),
            ("pending", false, BookingStatus::Pending),
            ("REJECTED", false, BookingStatus::Cancelled),
            ("cancelled", true, BookingStatus::Cancelled),
            ("awaiting_host", false, BookingStatus::Confirmed),
        ] {
            assert_eq!(status(text, absent), expected, "{text} {absent}");
        }
    }

    #[test]
    fn every_seat_is_a_booking() {
        let seats = all(&seated()).unwrap();
        let ids: Vec<_> = seats.iter().map(|b| b.id.as_str()).collect();
        assert_eq!(ids, ["bk_s:seat_1", "bk_s:seat_2"]);
        let of_bob = pick(&[seated()], None).unwrap();
        assert_eq!((of_bob.id.as_str(), of_bob.reference.as_deref()), ("bk_s:seat_2", Some("r2")));
        let of_ada = pick(&[seated()], Some("bk_s:seat_1")).unwrap();
        assert_eq!((of_ada.attendees.len(), of_ada.status), (1, BookingStatus::NoShow));
    }

    #[test]
    fn a_seat_that_is_gone_was_cancelled() {
        let gone = pick(&[seated()], Some("bk_s:seat_9")).unwrap();
        assert_eq!((gone.id.as_str(), gone.status), ("bk_s:seat_9", BookingStatus::Cancelled));
        assert!(gone.attendees.is_empty());
    }

    #[test]
    fn the_right_one_of_many() {
        let mut other = plain();
        other["uid"] = json!("bk_other");
        assert_eq!(pick(&[other, plain()], Some("bk_uid_1")).unwrap().id, "bk_uid_1");
        assert!(pick(&[], Some("bk_uid_1")).is_err());
    }
}
