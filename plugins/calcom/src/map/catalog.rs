//! Event types and links to them.

use berth_sdk::{
    Result,
    json::read,
    types::{BookingLink, EventType, Money, ProviderError},
};
use serde::Deserialize;
use serde_json::Value;

use super::time::instant;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CalEventType {
    id: i64,
    title: String,
    description: Option<String>,
    length_in_minutes: u32,
    #[serde(default)]
    length_in_minutes_options: Option<Vec<u32>>,
    minimum_booking_notice: Option<u32>,
    before_event_buffer: Option<u32>,
    after_event_buffer: Option<u32>,
    seats_per_time_slot: Option<u32>,
    seats: Option<Value>,
    confirmation_policy: Option<Value>,
    price: Option<f64>,
    currency: Option<String>,
    hidden: Option<bool>,
    booking_url: Option<String>,
}

/// Cal.com's event type ids are numbers.
pub(crate) fn event_type_id(id: &str) -> Result<i64> {
    id.parse().map_err(|_| ProviderError::NotFound)
}

/// Event types in the order of their ids, so that pages are stable.
pub(crate) fn event_types(items: &[Value]) -> Result<Vec<EventType>> {
    let mut all = items
        .iter()
        .map(|item| Ok((item.get("id").and_then(Value::as_i64), event_type(item)?)))
        .collect::<Result<Vec<_>>>()?;
    all.sort_by_key(|(id, _)| *id);
    Ok(all.into_iter().map(|(_, event_type)| event_type).collect())
}

/// One event type.
pub(crate) fn event_type(item: &Value) -> Result<EventType> {
    let e: CalEventType = read("event type", item)?;
    let seats = e.seats.as_ref().and_then(|s| s.get("seatsPerTimeSlot")).and_then(Value::as_u64);
    let seats = e.seats_per_time_slot.or_else(|| u32::try_from(seats?).ok()).unwrap_or(1).max(1);
    Ok(EventType {
        id: e.id.to_string(),
        title: e.title,
        description: e.description.filter(|d| !d.is_empty()),
        length_minutes: e.length_in_minutes,
        length_options_minutes: e.length_in_minutes_options.unwrap_or_default(),
        buffer_before_minutes: e.before_event_buffer.unwrap_or(0),
        buffer_after_minutes: e.after_event_buffer.unwrap_or(0),
        minimum_notice_minutes: e.minimum_booking_notice.unwrap_or(0),
        seats,
        price: money(e.price, e.currency),
        needs_confirmation: e.confirmation_policy.as_ref().is_some_and(needs_confirmation),
        booking_url: e.booking_url,
        active: !e.hidden.unwrap_or(false),
        raw: item.to_string(),
    })
}

/// Does one booking of it make a series? `{"interval","occurrences","frequency"}`; null, or `{"disabled":true}`, where it does not.
pub(crate) fn repeats(item: &Value) -> bool {
    item.pointer("/recurrence/occurrences").is_some_and(Value::is_number)
}

/// `{"type":"always"|"time",…}`; `{"disabled":true}` where there is none.
fn needs_confirmation(policy: &Value) -> bool {
    policy.get("type").is_some() && policy.get("disabled").and_then(Value::as_bool) != Some(true)
}

/// Prices are whole numbers of the smallest unit; 0 is free.
fn money(price: Option<f64>, currency: Option<String>) -> Option<Money> {
    let price = price.filter(|p| *p >= 1.0 && *p <= 9e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "in range, as just checked")]
    let minor_units = price.round() as i64;
    Some(Money { minor_units, currency: currency?.to_uppercase() })
}

/// `https://cal.com/eve/consultation`, or `https://acme.cal.com/eve/consultation` of an organisation, as user, slug and
/// organisation.
pub(crate) fn public_link(url: &str) -> Result<(&str, &str, Option<&str>)> {
    let link = || {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let rest = rest.split(['?', '#']).next()?;
        let mut parts = rest.trim_end_matches('/').split('/');
        let (host, user, slug) = (parts.next()?, parts.next()?, parts.next()?);
        // Team pages and private links are not event types of a user.
        let plain =
            !user.is_empty() && !slug.is_empty() && parts.next().is_none() && user != "d" && user != "team";
        let org = host.strip_suffix(".cal.com").filter(|org| !matches!(*org, "app" | "www" | "i"));
        plain.then_some((user, slug, org))
    };
    link().ok_or(ProviderError::NotFound)
}

/// A private link, as made.
pub(crate) fn private_link(data: &Value) -> Result<BookingLink> {
    let url = data.get("bookingUrl").and_then(Value::as_str).ok_or(ProviderError::Unavailable(None))?;
    Ok(BookingLink { url: url.to_owned(), expires_at: instant(data.get("expiresAt")) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_event_type() {
        let item = json!({"id": 101, "slug": "consultation", "title": "Consultation", "description": "Talk",
            "lengthInMinutes": 30, "lengthInMinutesOptions": [30, 60], "minimumBookingNotice": 120,
            "beforeEventBuffer": 5, "afterEventBuffer": 10, "seats": {"seatsPerTimeSlot": 8},
            "confirmationPolicy": {"type": "always", "blockUnconfirmedBookingsInBooker": true},
            "price": 4500, "currency": "eur", "hidden": false, "bookingUrl": "https://cal.com/eve/consultation",
            "unknown": {"new": 1}});
        let e = event_type(&item).unwrap();
        assert_eq!((e.id.as_str(), e.length_minutes, e.seats), ("101", 30, 8));
        assert_eq!(e.length_options_minutes, [30, 60]);
        assert_eq!((e.buffer_before_minutes, e.buffer_after_minutes, e.minimum_notice_minutes), (5, 10, 120));
        assert_eq!(e.price, Some(Money { minor_units: 4_500, currency: "EUR".to_owned() }));
        assert!(e.needs_confirmation && e.active);
        assert_eq!(serde_json::from_str::<Value>(&e.raw).unwrap(), item);
    }

    #[test]
    fn a_bare_event_type_has_sound_defaults() {
        let item = json!({"id": 1, "title": "T", "lengthInMinutes": 15, "description": "", "price": 0,
            "currency": "usd", "hidden": true, "seatsPerTimeSlot": null, "confirmationPolicy": {"disabled": true}});
        let e = event_type(&item).unwrap();
        assert_eq!((e.description, e.price, e.seats), (None, None, 1));
        assert!(!e.needs_confirmation && !e.active);
    }

    #[test]
    fn the_order_is_that_of_the_numbers() {
        let items = [9, 101, 10].map(|id| json!({"id": id, "title": "T", "lengthInMinutes": 15}));
        let ids: Vec<_> = event_types(&items).unwrap().into_iter().map(|e| e.id).collect();
        assert_eq!(ids, ["9", "10", "101"]);
    }

    #[test]
    fn public_links() {
        for (url, expected) in [
            ("https://cal.com/eve/consultation?month=2026-01", Some(("eve", "consultation", None))),
            ("https://acme.cal.com/eve/30min/", Some(("eve", "30min", Some("acme")))),
            ("https://app.cal.com/eve/30min", Some(("eve", "30min", None))),
            ("https://book.selfhosted.example/eve/30min", Some(("eve", "30min", None))),
            ("https://cal.com/team/acme/30min", None),
            ("https://cal.com/d/abc/30min", None),
            ("https://cal.com/eve", None),
            ("eve/30min", None),
        ] {
            assert_eq!(public_link(url).ok(), expected, "{url}");
        }
    }
}
