//! `GET /locations/{locationId}`.

use berth_sdk::types::Account;
use serde_json::{Value, json};

use super::answer::some_text;

/// The sub-account. Without its record there is only its id.
pub(crate) fn account(id: &str, answer: Option<&Value>) -> Account {
    let location = answer.and_then(|answer| answer.get("location"));
    let text = |name: &str| some_text(location?.get(name));
    Account {
        id: id.to_owned(),
        name: text("name").unwrap_or_else(|| format!("Location {id}")),
        email: text("email"),
        time_zone: text("timezone"),
        raw: location.map_or_else(|| json!({ "id": id }).to_string(), Value::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_its_record() {
        let answer = json!({"location": {"id": "loc_1", "name": "Eve's practice", "email": "eve@example.com",
            "timezone": "Europe/Warsaw"}});
        let known = account("loc_1", Some(&answer));
        assert_eq!(
            (known.name.as_str(), known.time_zone.as_deref()),
            ("Eve's practice", Some("Europe/Warsaw"))
        );
        let unknown = account("loc_1", None);
        assert_eq!((unknown.id.as_str(), unknown.name.as_str()), ("loc_1", "Location loc_1"));
        assert_eq!(account("loc_1", Some(&json!({}))).time_zone, None);
    }
}
