//! Free slots, calendars and busy times.

use berth_sdk::{
    Result,
    json::read,
    types::{BusyTime, Interval, ProviderError, Slot},
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CalSlot {
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end: i64,
    seats_remaining: Option<u32>,
}

/// A calendar as the busy-times request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CalendarKey {
    pub(crate) credential_id: i64,
    pub(crate) external_id: String,
}

/// The answer in format `range`: days to slots.
pub(crate) fn slots(data: &Value, within: Interval) -> Result<Vec<Slot>> {
    let days: BTreeMap<String, Vec<CalSlot>> = read("slots", data)?;
    let mut slots: Vec<Slot> = days
        .into_values()
        .flatten()
        .filter(|s| within.start <= s.start && s.end <= within.end && s.start < s.end)
        .map(|s| Slot {
            when: Interval { start: s.start, end: s.end },
            token: None,
            seats_left: s.seats_remaining,
        })
        .collect();
    slots.sort_by_key(|s| s.when.start);
    slots.dedup_by_key(|s| s.when);
    Ok(slots)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connected {
    #[serde(default)]
    connected_calendars: Vec<Source>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    integration: Option<Title>,
    credential_id: Option<i64>,
    /// None where Cal.com cannot read them.
    calendars: Option<Vec<CalCalendar>>,
}

#[derive(Deserialize)]
struct Title {
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CalCalendar {
    external_id: String,
    credential_id: Option<i64>,
    #[serde(default)]
    is_selected: bool,
}

/// The calendars wanted, by external id; none named: those that the account checks for conflicts. What is not there, or may be among
/// those that Cal.com cannot read, is an error: it must never look free.
pub(crate) fn calendars(data: &Value, wanted: &[String]) -> Result<Vec<CalendarKey>> {
    let Connected { connected_calendars } = read("calendars", data)?;
    let mut chosen = Vec::new();
    for Source { integration, credential_id, calendars } in connected_calendars {
        let Some(calendars) = calendars else {
            if wanted.is_empty() {
                let title = integration.and_then(|i| i.title).unwrap_or_else(|| "a calendar".to_owned());
                let message = format!(
                    "Cal.com cannot read the calendars of {title}: connect it again there, or remove it."
                );
                return Err(ProviderError::Forbidden(message));
            }
            continue;
        };
        for calendar in calendars {
            let is_meant =
                if wanted.is_empty() { calendar.is_selected } else { wanted.contains(&calendar.external_id) };
            if let Some(credential_id) = calendar.credential_id.or(credential_id).filter(|_| is_meant) {
                chosen.push(CalendarKey { credential_id, external_id: calendar.external_id });
            }
        }
    }
    if let Some(missing) = wanted.iter().find(|id| chosen.iter().all(|c: &CalendarKey| c.external_id != **id))
    {
        let message = format!("{missing} is no calendar that the Cal.com account is connected to");
        return Err(ProviderError::invalid("calendars", message));
    }
    Ok(chosen)
}

#[derive(Deserialize)]
struct CalBusy {
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end: i64,
    source: Option<String>,
}

/// Busy times that touch the query, ascending.
pub(crate) fn busy(data: &Value, within: Interval) -> Result<Vec<BusyTime>> {
    let times: Vec<CalBusy> = read("busy times", data)?;
    let mut busy: Vec<BusyTime> = times
        .into_iter()
        .map(|t| BusyTime { when: Interval { start: t.start, end: t.end }, source: t.source })
        .filter(|t| t.when.start < t.when.end && overlap(t.when, within))
        .collect();
    busy.sort_by_key(|t| (t.when.start, t.when.end));
    Ok(busy)
}

/// Do two stretches of time have a moment in common?
fn overlap(a: Interval, b: Interval) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use berth_sdk::time;
    use serde_json::json;

    use super::*;

    fn day() -> Interval {
        let start = time::parse("2026-01-05T00:00:00Z").unwrap();
        Interval { start, end: start + time::DAY }
    }

    #[test]
    fn slots_of_all_days_in_order_and_inside() {
        let data = json!({
            "2026-01-06": [{"start": "2026-01-06T00:00:00.000+01:00", "end": "2026-01-06T00:30:00.000+01:00"},
                {"start": "2026-01-06T00:45:00.000+01:00", "end": "2026-01-06T01:15:00.000+01:00"}],
            "2026-01-05": [{"start": "2026-01-05T10:00:00.000+01:00", "end": "2026-01-05T10:30:00.000+01:00",
                "seatsRemaining": 3}]});
        let slots = slots(&data, day()).unwrap();
        let starts: Vec<_> = slots.iter().map(|s| time::format(s.when.start)).collect();
        assert_eq!(starts, ["2026-01-05T09:00:00Z", "2026-01-05T23:00:00Z"], "the last one ends outside");
        assert_eq!((slots[0].seats_left, slots[1].seats_left), (Some(3), None));
    }

    #[test]
    fn no_slots_and_wrong_shapes() {
        assert!(slots(&json!({}), day()).unwrap().is_empty());
        assert!(slots(&json!({"2026-01-05": [{"start": "soon", "end": "later"}]}), day()).is_err());
    }

    #[test]
    fn calendars_by_choice_or_by_name() {
        let data = json!({"connectedCalendars": [{"credentialId": 5, "calendars": [
            {"externalId": "a@x", "credentialId": 6, "isSelected": true},
            {"externalId": "b@x", "isSelected": false}]}, {"credentialId": 9, "calendars": []}]});
        let key = |credential_id, id: &str| CalendarKey { credential_id, external_id: id.to_owned() };
        assert_eq!(calendars(&data, &[]), Ok(vec![key(6, "a@x")]));
        assert_eq!(calendars(&data, &["b@x".to_owned()]), Ok(vec![key(5, "b@x")]));
        assert_eq!(calendars(&json!({"connectedCalendars": []}), &[]), Ok(Vec::new()));
    }

    #[test]
    fn busy_times_that_touch() {
        let data = json!([
            {"start": "2026-01-05T23:30:00Z", "end": "2026-01-06T01:00:00Z", "source": "google"},
            {"start": "2026-01-06T00:00:00Z", "end": "2026-01-06T01:00:00Z"},
            {"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T09:00:00Z"}]);
        let times = busy(&data, day()).unwrap();
        assert_eq!(times.len(), 2);
        assert_eq!(time::format(times[0].when.start), "2026-01-05T08:00:00Z");
        assert_eq!(times[1].source.as_deref(), Some("google"));
    }
}
