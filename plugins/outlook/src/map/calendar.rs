//! Calendars.

use berth_sdk::{Result, json::read, types::EventType};
use serde::Deserialize;
use serde_json::Value;

/// Name of the account's own calendar, whatever its id is.
pub(crate) const DEFAULT_CALENDAR: &str = "default";
/// A calendar has no length of its own; Berth's event types say how long a booking is. This is what a provider must say all the same.
const LENGTH_MINUTES: u32 = 30;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Calendar {
    id: String,
    name: Option<String>,
    can_edit: Option<bool>,
    #[serde(rename = "isDefaultCalendar")]
    is_default: Option<bool>,
}

/// A calendar in which bookings can be made, if it is one of the connection's (`used`) and can be written.
pub(crate) fn event_type(calendar: &Value, used: &[String]) -> Result<EventType> {
    let Calendar { id, name, can_edit, is_default } = read("calendar", calendar)?;
    let default = is_default.unwrap_or(false);
    // The settings may call the account's own calendar by its id, too.
    let by_name = default && !used.contains(&id);
    let id = if by_name { DEFAULT_CALENDAR.to_owned() } else { id };
    let active = can_edit.unwrap_or(false) && used.contains(&id);
    let title = name.filter(|n| !n.is_empty()).unwrap_or_else(|| "Calendar".to_owned());
    Ok(EventType { active, ..EventType::plain(id, title, LENGTH_MINUTES, calendar.to_string()) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_can_be_written_and_is_used_is_active() {
        let of = |calendar: Value, used: &[&str]| {
            let used: Vec<String> = used.iter().map(|id| (*id).to_owned()).collect();
            event_type(&calendar, &used).map(|e| (e.id, e.active)).unwrap()
        };
        let own = json!({"id": "AAMk1", "name": "Calendar", "canEdit": true, "isDefaultCalendar": true});
        assert_eq!(of(own.clone(), &["default"]), ("default".to_owned(), true));
        assert_eq!(of(own.clone(), &["AAMk1"]), ("AAMk1".to_owned(), true));
        assert_eq!(of(own, &["AAMk2"]), ("default".to_owned(), false));
        let other = json!({"id": "AAMk2", "name": "Team", "canEdit": true, "isDefaultCalendar": false});
        assert_eq!(of(other.clone(), &["default"]), ("AAMk2".to_owned(), false));
        assert_eq!(of(other, &["default", "AAMk2"]), ("AAMk2".to_owned(), true));
        let holidays = json!({"id": "AAMk3", "name": "Holidays", "canEdit": false});
        assert_eq!(of(holidays, &["AAMk3"]), ("AAMk3".to_owned(), false));
    }
}
