//! `getSchedule`: busy times of people and rooms.

use serde_json::{Value, json};

use super::{
    refusal::{Outcome, bad_request, ok, refusal},
    state::State,
    views::{self, ACCOUNT},
};

/// Longest question, in days.
const DAYS_MAX: i64 = 62;

pub(super) fn get(state: &State, body: &Value) -> Outcome {
    if state.config.personal {
        let message = "The schedules of others are not available for this account.";
        return Err(refusal(403, "ErrorAccessDenied", message));
    }
    let time = |name: &str| {
        let text = body[name]["dateTime"].as_str().filter(|_| body[name]["timeZone"] == "UTC");
        text.and_then(|text| crate::times::micros(&format!("{text}Z")))
    };
    let (Some(start), Some(end)) = (time("startTime"), time("endTime")) else {
        return Err(bad_request("startTime and endTime must be dates, times and zones."));
    };
    if end <= start || end - start > DAYS_MAX * 86_400_000_000 {
        return Err(bad_request("The requested time duration is too long or not positive."));
    }
    let interval = body["availabilityViewInterval"].as_i64().unwrap_or(30);
    if !(5..=1_440).contains(&interval) {
        return Err(bad_request("availabilityViewInterval must be 5 to 1440."));
    }
    let Some(schedules) = body["schedules"].as_array().filter(|s| !s.is_empty()) else {
        return Err(bad_request("schedules must name somebody."));
    };
    let of = |address: &str| -> Option<Vec<(String, i64, i64)>> {
        if address == ACCOUNT {
            let own = &state.config.calendars.first()?.id;
            let events = state.within(own, start, end);
            return Some(events.into_iter().map(|e| (e.show_as.clone(), e.start, e.end)).collect());
        }
        let somebody = state.config.colleagues.iter().find(|c| c.address == address)?;
        let busy = somebody.busy.iter().filter(|(from, to)| *from < end && start < *to);
        Some(busy.map(|(from, to)| ("busy".to_owned(), *from, *to)).collect())
    };
    let entry = |address: &Value| {
        let address = address.as_str().unwrap_or_default();
        match of(address) {
            Some(items) => {
                let taken = |from: i64, to: i64| items.iter().any(|(_, s, e)| *s < to && from < *e);
                let step = interval * 60_000_000;
                let starts = (0..).map(|n| start + n * step).take_while(|at| *at < end);
                let view: String = starts.map(|at| if taken(at, at + step) { '2' } else { '0' }).collect();
                let items: Vec<Value> = items
                    .iter()
                    .map(|(status, s, e)| json!({ "status": status, "start": views::time(*s), "end": views::time(*e) }))
                    .collect();
                json!({ "scheduleId": address, "availabilityView": view, "scheduleItems": items, "workingHours": {} })
            }
            None => json!({
                "scheduleId": address, "availabilityView": "", "scheduleItems": [],
                "error": { "message": "The mailbox was not found.", "responseCode": "ErrorMailRecipientNotFound" },
            }),
        }
    };
    ok(json!({ "value": schedules.iter().map(entry).collect::<Vec<_>>() }))
}
