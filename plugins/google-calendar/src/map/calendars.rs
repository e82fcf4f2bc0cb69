//! The account's list of calendars.

use berth_sdk::{
    Result,
    json::read,
    types::{Account, EventType, EventTypePage, ProviderError},
};
use serde::Deserialize;
use serde_json::Value;

/// How Google names the account's own calendar in requests.
const PRIMARY: &str = "primary";
/// A calendar says nothing of lengths: what Google gives a new event, in minutes. Berth's own event type says what counts.
const LENGTH_MINUTES: u32 = 60;
/// Calendars that an error lists: enough to find the one that was meant.
const NAMED_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Value>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Calendar {
    id: String,
    summary: Option<String>,
    summary_override: Option<String>,
    description: Option<String>,
    time_zone: Option<String>,
    #[serde(default)]
    primary: bool,
}

impl Calendar {
    /// Is it the one that is meant by this id?
    fn is(&self, id: &str) -> bool {
        self.id == id || (self.primary && id == PRIMARY)
    }

    fn name(&self) -> String {
        let names = [&self.summary_override, &self.summary].into_iter().flatten();
        names.into_iter().find(|name| !name.is_empty()).unwrap_or(&self.id).clone()
    }
}

/// The account behind the credential, from the first page of calendars that it may write to; `written` must be one of them.
pub(crate) fn account(page: &Value, written: &str) -> Result<Account> {
    let Page { items, next_page_token } = read("list of calendars", page)?;
    let calendars = items.iter().map(|item| read("calendar", item)).collect::<Result<Vec<Calendar>>>()?;
    let Some(own) = calendars.iter().find(|c| c.primary).or_else(|| calendars.first()) else {
        return Err(ProviderError::Forbidden("The account has no calendar that it may write to.".to_owned()));
    };
    // With more pages to come it may be on one of them.
    if next_page_token.is_none() && !calendars.iter().any(|c| c.is(written)) {
        let named: Vec<&str> = calendars.iter().map(|c| c.id.as_str()).take(NAMED_MAX).collect();
        let message = format!("must be a calendar that the account may write to: {}", named.join(", "));
        return Err(ProviderError::invalid("settings.calendar", message));
    }
    Ok(Account {
        id: own.id.clone(),
        name: own.name(),
        email: Some(own.id.clone()).filter(|id| id.contains('@')),
        time_zone: own.time_zone.clone(),
        raw: page.to_string(),
    })
}

/// A page of calendars. The one that the connection writes to has the id that its settings give it.
pub(crate) fn event_types(page: &Value, written: &str) -> Result<EventTypePage> {
    let Page { items, next_page_token } = read("list of calendars", page)?;
    let items = items.iter().map(|item| event_type(item, written)).collect::<Result<Vec<_>>>()?;
    Ok(EventTypePage { items, next: next_page_token })
}

fn event_type(item: &Value, written: &str) -> Result<EventType> {
    let calendar: Calendar = read("calendar", item)?;
    let active = calendar.is(written);
    let title = calendar.name();
    let id = if active { written.to_owned() } else { calendar.id };
    Ok(EventType {
        description: calendar.description.filter(|text| !text.is_empty()),
        active,
        ..EventType::plain(id, title, LENGTH_MINUTES, item.to_string())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page() -> Value {
        json!({ "kind": "calendar#calendarList", "items": [
            { "id": "team@group.calendar.google.com", "summary": "Team", "summaryOverride": "Our team",
                "timeZone": "Europe/London", "accessRole": "writer" },
            { "id": "eve@example.com", "summary": "Eve", "description": "", "timeZone": "Europe/Warsaw",
                "accessRole": "owner", "primary": true }] })
    }

    #[test]
    fn the_account_is_its_own_calendar() {
        for written in ["primary", "eve@example.com", "team@group.calendar.google.com"] {
            let eve = account(&page(), written).unwrap();
            assert_eq!((eve.id.as_str(), eve.name.as_str()), ("eve@example.com", "Eve"));
            assert_eq!(eve.email.as_deref(), Some("eve@example.com"));
            assert_eq!(eve.time_zone.as_deref(), Some("Europe/Warsaw"));
        }
    }

    #[test]
    fn a_calendar_that_cannot_be_written_to_is_refused_unless_it_may_be_on_a_later_page() {
        let Err(ProviderError::Invalid(problems)) = account(&page(), "other@example.com") else {
            panic!("it was taken")
        };
        assert_eq!(problems[0].field, "settings.calendar");
        assert!(problems[0].message.ends_with("team@group.calendar.google.com, eve@example.com"));
        let mut first = page();
        first["nextPageToken"] = json!("2");
        assert!(account(&first, "other@example.com").is_ok());
        assert!(matches!(account(&json!({ "items": [] }), "primary"), Err(ProviderError::Forbidden(_))));
        assert_eq!(account(&json!({}), "primary"), Err(ProviderError::Unavailable(None)));
    }

    #[test]
    fn only_the_calendar_of_the_connection_can_be_booked() {
        let types = event_types(&page(), "primary").unwrap().items;
        let shown: Vec<_> = types.iter().map(|e| (e.id.as_str(), e.title.as_str(), e.active)).collect();
        assert_eq!(shown, [("team@group.calendar.google.com", "Our team", false), ("primary", "Eve", true)]);
        let types = event_types(&page(), "eve@example.com").unwrap().items;
        assert_eq!((types[1].id.as_str(), types[1].active), ("eve@example.com", true));
        assert_eq!(types[1].description, None);
    }
}
