//! Event types and links to them.

use berth_sdk::{
    Result,
    http::encode,
    json::read,
    types::{BookingLink, EventType, ProviderError},
};
use serde::Deserialize;
use serde_json::Value;

use super::{field::text, tracking::SOURCE, uri::last_part};

#[derive(Deserialize)]
struct CalendlyEventType {
    uri: String,
    name: Option<String>,
    slug: Option<String>,
    description_plain: Option<String>,
    duration: f64,
    #[serde(default)]
    active: bool,
    scheduling_url: Option<String>,
    booking_method: Option<String>,
    deleted_at: Option<String>,
}

/// One event type. Buffers, notice and seats are not shown by the API; Calendly applies them to the times that it offers.
pub(crate) fn event_type(item: &Value) -> Result<EventType> {
    let e: CalendlyEventType = read("event type", item)?;
    // Polls are agreed on by votes, not booked.
    let bookable = e.booking_method.as_deref().is_none_or(|method| method == "instant");
    let id = last_part(&e.uri).to_owned();
    let title = e.name.or(e.slug).unwrap_or_else(|| id.clone());
    Ok(EventType {
        description: e.description_plain.filter(|d| !d.is_empty()),
        booking_url: e.scheduling_url,
        active: e.active && bookable && e.deleted_at.is_none(),
        ..EventType::plain(id, title, minutes(e.duration)?, item.to_string())
    })
}

/// Lengths are whole minutes of at most a day, written as JSON numbers of any kind.
fn minutes(duration: f64) -> Result<u32> {
    if !(1.0..=1_440.0).contains(&duration) {
        berth_sdk::log::warn("unexpected event type: its duration is no length");
        return Err(ProviderError::Unavailable(None));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, as just checked")]
    Ok(duration.round() as u32)
}

/// An event type has one length; another one cannot be asked for.
pub(crate) fn has_length(event_type: &EventType, wanted: Option<u32>) -> Result<()> {
    match wanted {
        Some(minutes) if minutes != event_type.length_minutes => {
            let message = format!("must be {}, the length of this event type", event_type.length_minutes);
            Err(ProviderError::invalid("length_minutes", message))
        }
        _ => Ok(()),
    }
}

/// `profile/slug` of a public link: `https://calendly.com/eve/consultation?month=2026-01`.
pub(crate) fn public_link(url: &str) -> Result<String> {
    let wrong = |message: &str| Err(ProviderError::invalid("url", message));
    match parts(url).as_deref() {
        Some([profile, ..]) if profile == "d" => wrong(
            "is a single-use or shared link; give the event type's own, https://calendly.com/<profile>/<event type>",
        ),
        Some([profile, slug]) => Ok(format!("{profile}/{slug}")),
        _ => wrong("must be https://calendly.com/<profile>/<event type>"),
    }
}

/// The parts of a link's path, in lower case: Calendly does not tell upper from lower case.
fn parts(url: &str) -> Option<Vec<String>> {
    let rest = url.trim().strip_prefix("https://").or_else(|| url.trim().strip_prefix("http://"))?;
    let path = rest.split(['?', '#']).next()?.to_lowercase();
    let (host, path) = path.split_once('/')?;
    let known = matches!(host, "calendly.com" | "www.calendly.com");
    known.then(|| path.trim_matches('/').split('/').map(str::to_owned).collect())
}

/// Is this the public link of the event type?
pub(crate) fn has_link(item: &Value, link: &str) -> bool {
    let own = text(item, "scheduling_url").and_then(parts);
    own.is_some_and(|parts| parts.join("/") == link)
}

/// A single-use link. The key comes back in the tracking fields of the booking that it leads to.
pub(crate) fn booking_link(resource: &Value, key: &str) -> Result<BookingLink> {
    let url = text(resource, "booking_url").ok_or(ProviderError::Unavailable(None))?;
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}utm_source={SOURCE}&utm_content={}", encode(key));
    Ok(BookingLink { url, expires_at: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item() -> Value {
        serde_json::from_str(include_str!("../../fixtures/event-type.json")).unwrap()
    }

    #[test]
    fn an_event_type() {
        let e = event_type(&item()).unwrap();
        assert_eq!((e.id.as_str(), e.title.as_str(), e.length_minutes), ("ET1", "Consultation", 30));
        assert_eq!(e.booking_url.as_deref(), Some("https://calendly.com/eve/consultation"));
        assert!(e.active && !e.needs_confirmation);
        assert_eq!(serde_json::from_str::<Value>(&e.raw).unwrap(), item());
    }

    #[test]
    fn what_cannot_be_booked_is_not_active() {
        for (name, value) in [
            ("active", json!(false)),
            ("booking_method", json!("poll")),
            ("deleted_at", json!("2026-01-02T09:00:00.000000Z")),
        ] {
            let mut other = item();
            other[name] = value;
            assert!(!event_type(&other).unwrap().active, "{name}");
        }
    }

    #[test]
    fn lengths_in_whole_minutes() {
        for (duration, expected) in [
            (json!(30.0), Some(30)),
            (json!(0), None),
            (json!(-5), None),
            (json!(1e9), None),
            (json!("30"), None),
        ] {
            let mut other = item();
            other["duration"] = duration.clone();
            assert_eq!(event_type(&other).ok().map(|e| e.length_minutes), expected, "{duration}");
        }
        let e = event_type(&item()).unwrap();
        assert!(has_length(&e, None).is_ok() && has_length(&e, Some(30)).is_ok());
        assert!(has_length(&e, Some(60)).is_err());
    }

    #[test]
    fn public_links() {
        for (url, expected) in [
            ("https://calendly.com/eve/consultation", Some("eve/consultation")),
            ("https://www.calendly.com/Eve/Consultation/?month=2026-01", Some("eve/consultation")),
            ("https://calendly.com/d/abcd-brv8/consultation", None),
            ("https://calendly.com/eve", None),
            ("https://calendly.com/eve/consultation/2026-01-05T09:00:00Z", None),
            ("https://calendly.example/eve/consultation", None),
            ("eve/consultation", None),
        ] {
            assert_eq!(public_link(url).ok().as_deref(), expected, "{url}");
        }
        assert!(has_link(&item(), "eve/consultation") && !has_link(&item(), "eve/other"));
        assert!(!has_link(&json!({}), ""));
    }

    #[test]
    fn a_link_carries_its_key() {
        let made = json!({"booking_url": "https://calendly.com/d/abcd-brv8/consultation"});
        let link = booking_link(&made, "k 1").unwrap();
        assert_eq!(
            link.url,
            "https://calendly.com/d/abcd-brv8/consultation?utm_source=berth&utm_content=k%201"
        );
        assert!(booking_link(&json!({}), "k").is_err());
    }
}
