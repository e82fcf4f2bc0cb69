//! Addresses. Calendly names everything by a full address; Berth keeps the last parts of it.

use berth_sdk::{Result, http::encode, types::ProviderError};

/// What every address begins with, wherever the API is reached.
const ROOT: &str = "https://api.calendly.com";

/// The last part of an address, which is the id in paths; a bare id is one already.
pub(crate) fn last_part(uri: &str) -> &str {
    uri.trim_end_matches('/').rsplit('/').next().unwrap_or(uri)
}

/// The address of an event type, from its id or its address.
pub(crate) fn event_type_uri(id: &str) -> Result<String> {
    match last_part(id) {
        "" => Err(ProviderError::NotFound),
        id => Ok(format!("{ROOT}/event_types/{}", encode(id))),
    }
}

/// `event/invitee`, from `…/scheduled_events/{event}/invitees/{invitee}`.
pub(crate) fn booking_id(invitee_uri: &str) -> Option<String> {
    let (_, rest) = invitee_uri.split_once("/scheduled_events/")?;
    let (event, invitee) = rest.split_once("/invitees/")?;
    let plain = |part: &str| !part.is_empty() && !part.contains('/');
    (plain(event) && plain(invitee)).then(|| format!("{event}/{invitee}"))
}

/// The inverse of [`booking_id`]; an event's id alone has no invitee.
pub(crate) fn split_id(id: &str) -> (&str, Option<&str>) {
    id.split_once('/').map_or((id, None), |(event, invitee)| (event, Some(invitee)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_from_addresses_and_back() {
        let id = booking_id("https://api.calendly.com/scheduled_events/E1/invitees/I1").unwrap();
        assert_eq!((id.as_str(), split_id(&id), split_id("E1")), ("E1/I1", ("E1", Some("I1")), ("E1", None)));
        for other in [
            "",
            "https://api.calendly.com/scheduled_events/E1",
            "https://api.calendly.com/scheduled_events//invitees/I1",
            "https://api.calendly.com/scheduled_events/E1/invitees/",
            "https://api.calendly.com/scheduled_events/E1/invitees/I1/x",
            "https://api.calendly.com/invitee_no_shows/N1",
        ] {
            assert_eq!(booking_id(other), None, "{other}");
        }
    }

    #[test]
    fn event_types_by_id_and_by_address() {
        for id in
            ["ET1", "https://api.calendly.com/event_types/ET1", "https://api.calendly.com/event_types/ET1/"]
        {
            assert_eq!(event_type_uri(id).unwrap(), "https://api.calendly.com/event_types/ET1");
        }
        assert_eq!(event_type_uri("a b").unwrap(), "https://api.calendly.com/event_types/a%20b");
        assert_eq!(event_type_uri("/"), Err(ProviderError::NotFound));
    }
}
