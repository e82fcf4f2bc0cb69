//! Where a booking takes place: what an event type offers, which of it a booking has, and what people are shown.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    limits,
    problem::FieldError,
    text::is_web_address,
    validate::{Fields, is_phone},
};

/// What kind of place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocationKind {
    /// At an address.
    InPerson,
    /// By telephone: at this number, or whoever hosts it calls the customer.
    Phone,
    /// On a page of the web.
    Link,
    /// Where the provider says: its conferencing.
    Provider,
}

/// A place that an event type offers. A booking keeps it as it was offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Name by which it is chosen, unique within the event type: 1 to 64 of a-z, 0-9 and _.
    pub key: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: LocationKind,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where people go; of `in_person`, which needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whom people call (E.164); of `phone`. None: the customer is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where people meet on the web; of `link`, which needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Location {
    fn check(&self, at: &str, fields: &mut Fields) {
        let is_key = (1..=64).contains(&self.key.len())
            && self.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_key {
            fields.bad(&format!("{at}/key"), "must be 1 to 64 of a-z, 0-9 and _");
        }
        if let Some(label) = &self.label {
            fields.text(&format!("{at}/label"), label, limits::LOCATION_LABEL_CHARS_MAX);
        }
        let needed = match self.kind {
            LocationKind::InPerson => Some("address"),
            LocationKind::Link => Some("url"),
            LocationKind::Phone | LocationKind::Provider => None,
        };
        for (name, kind, value) in [
            ("address", LocationKind::InPerson, &self.address),
            ("phone", LocationKind::Phone, &self.phone),
            ("url", LocationKind::Link, &self.url),
        ] {
            let field = format!("{at}/{name}");
            match value {
                Some(_) if kind != self.kind => {
                    fields.bad(&field, "does not belong to a location of this type");
                }
                None if needed == Some(name) => fields.bad(&field, "is required by a location of this type"),
                _ => {}
            }
        }
        if let Some(address) = &self.address {
            fields.text(&format!("{at}/address"), address, limits::LOCATION_ADDRESS_CHARS_MAX);
        }
        if self.phone.as_ref().is_some_and(|phone| !is_phone(phone)) {
            fields.bad(
                &format!("{at}/phone"),
                "must be a telephone number in the form of E.164, such as +48600100200",
            );
        }
        if self.url.as_ref().is_some_and(|url| !is_web_address(url, limits::LOCATION_URL_BYTES_MAX)) {
            fields.bad(
                &format!("{at}/url"),
                "must be an address of the web (https or http), without a password",
            );
        }
    }
}

/// Are these acceptable as what an event type offers?
pub fn check_locations(locations: &[Location], at: &str, fields: &mut Fields) {
    if locations.len() > limits::LOCATIONS_MAX {
        fields.bad(at, format!("at most {}", limits::LOCATIONS_MAX));
    }
    let mut keys = BTreeSet::new();
    for (i, location) in locations.iter().enumerate() {
        let at = format!("{at}/{i}");
        location.check(&at, fields);
        if !keys.insert(&location.key) {
            fields.bad(&format!("{at}/key"), "is another location's, too");
        }
    }
}

/// The location that is chosen by this key among those that are offered; the only one needs no choice.
pub fn chosen(offered: &[Location], key: Option<&str>) -> Result<Option<Location>, FieldError> {
    let wrong = |why: String| Err(FieldError::new("/location", why));
    let all = || offered.iter().map(|location| location.key.as_str()).collect::<Vec<_>>().join(", ");
    match (key, offered) {
        (None, []) => Ok(None),
        (None, [only]) => Ok(Some(only.clone())),
        (None, _) => wrong(format!("must be chosen, one of: {}", all())),
        (Some(_), []) => wrong("must be absent: the event type offers no locations".to_owned()),
        (Some(key), _) => match offered.iter().find(|location| location.key == key) {
            Some(found) => Ok(Some(found.clone())),
            None => wrong(format!("must be one of: {}", all())),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn location(value: Value) -> Location {
        serde_json::from_value(value).unwrap()
    }

    fn refused(locations: &[Value]) -> Vec<String> {
        let locations: Vec<Location> = locations.iter().cloned().map(location).collect();
        let mut fields = Fields::default();
        check_locations(&locations, "/policy/locations", &mut fields);
        fields.finish().err().map_or_else(Vec::new, |p| p.errors.into_iter().map(|e| e.field).collect())
    }

    #[test]
    fn each_kind_has_what_belongs_to_it() {
        let office = json!({ "key": "office", "type": "in_person", "address": "Pier 1" });
        for (value, wrong) in [
            (office.clone(), vec![]),
            (json!({ "key": "call", "type": "phone" }), vec![]),
            (json!({ "key": "call", "type": "phone", "phone": "+48600100200", "label": "By phone" }), vec![]),
            (json!({ "key": "web", "type": "link", "url": "https://meet.example/x" }), vec![]),
            (json!({ "key": "video", "type": "provider" }), vec![]),
            (json!({ "key": "office", "type": "in_person" }), vec!["/policy/locations/0/address"]),
            (json!({ "key": "web", "type": "link" }), vec!["/policy/locations/0/url"]),
            (
                json!({ "key": "web", "type": "link", "url": "javascript:alert(1)" }),
                vec!["/policy/locations/0/url"],
            ),
            (
                json!({ "key": "web", "type": "link", "url": "https://a:b@x.example" }),
                vec!["/policy/locations/0/url"],
            ),
            (json!({ "key": "call", "type": "phone", "phone": "12" }), vec!["/policy/locations/0/phone"]),
            (
                json!({ "key": "video", "type": "provider", "url": "https://x.example" }),
                vec!["/policy/locations/0/url"],
            ),
            (json!({ "key": "A b", "type": "provider" }), vec!["/policy/locations/0/key"]),
        ] {
            assert_eq!(refused(std::slice::from_ref(&value)), wrong, "{value}");
        }
        assert_eq!(refused(&[office.clone(), office.clone()]), ["/policy/locations/1/key"]);
        let many: Vec<Value> =
            (0..21).map(|n| json!({ "key": format!("l{n}"), "type": "provider" })).collect();
        assert_eq!(refused(&many), ["/policy/locations"]);
    }

    #[test]
    fn several_want_a_choice() {
        let one = location(json!({ "key": "call", "type": "phone" }));
        let other = location(json!({ "key": "video", "type": "provider" }));
        let both = [one.clone(), other.clone()];
        assert_eq!(chosen(&[], None), Ok(None));
        assert_eq!(chosen(std::slice::from_ref(&one), None), Ok(Some(one)));
        assert_eq!(chosen(&both, Some("video")), Ok(Some(other)));
        for (offered, key) in [(&both[..], None), (&both[..], Some("office")), (&[], Some("call"))] {
            assert_eq!(chosen(offered, key).unwrap_err().field, "/location");
        }
    }
}
