//! Answers of `freeBusy`.

use std::collections::BTreeMap;

use berth_sdk::{
    Result,
    json::read,
    types::{BusyTime, Instant, Interval, ProviderError},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Answer {
    calendars: BTreeMap<String, Calendar>,
}

#[derive(Deserialize)]
struct Calendar {
    busy: Option<Vec<Period>>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Period {
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start: Instant,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end: Instant,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    reason: String,
}

/// Taken times of these calendars. A calendar that is missing or has errors fails the whole answer: it must never look free.
pub(crate) fn busy(answer: &Value, asked: &[String]) -> Result<Vec<BusyTime>> {
    let mut answer: Answer = read("answer about busy times", answer)?;
    let mut all = Vec::new();
    for id in asked {
        let calendar = answer.calendars.remove(id).ok_or(ProviderError::Unavailable(None))?;
        if let Some(problem) = calendar.errors.first() {
            return Err(unreadable(id, &problem.reason));
        }
        let periods = calendar.busy.ok_or(ProviderError::Unavailable(None))?;
        all.extend(
            periods.into_iter().filter(|p| p.start < p.end).map(|p| BusyTime {
                when: Interval { start: p.start, end: p.end },
                source: Some(id.clone()),
            }),
        );
    }
    Ok(all)
}

fn unreadable(calendar: &str, reason: &str) -> ProviderError {
    match reason {
        // Google does not tell what is not there from what is not shared.
        "notFound" => ProviderError::Forbidden(format!(
            "The account cannot read the calendar {calendar}: share it, or take it out of the settings."
        )),
        "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" => ProviderError::RateLimited(None),
        "groupTooBig" | "tooManyCalendarsRequested" => {
            ProviderError::vendor(200, reason, format!("The calendar {calendar} stands for too many."))
        }
        _ => ProviderError::Unavailable(None),
    }
}

/// Do two stretches have a moment in common that is not in the third? Google joins busy times that touch, so that what is to be moved
/// cannot be told apart otherwise.
pub(crate) fn overlaps_outside(taken: Interval, wanted: Interval, own: Option<Interval>) -> bool {
    let (start, end) = (taken.start.max(wanted.start), taken.end.min(wanted.end));
    if start >= end {
        return false;
    }
    own.is_none_or(|own| start < own.start || own.end < end)
}

#[cfg(test)]
mod tests {
    use berth_sdk::time;
    use serde_json::json;

    use super::*;

    fn asked(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn times_of_several_calendars_with_their_source() {
        let answer = json!({ "kind": "calendar#freeBusy", "calendars": {
            "primary": { "busy": [{ "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:30:00Z" }] },
            "team": { "busy": [{ "start": "2026-01-05T10:00:00+01:00", "end": "2026-01-05T10:00:00+01:00" }] } } });
        let found = busy(&answer, &asked(&["primary", "team"])).unwrap();
        assert_eq!(found.len(), 1, "what has no length takes no time");
        assert_eq!(found[0].source.as_deref(), Some("primary"));
        assert_eq!(Some(found[0].when.start), time::parse("2026-01-05T09:00:00Z"));
    }

    #[test]
    fn what_is_not_known_is_never_free() {
        let with = |reason: &str| json!({ "calendars": { "x": { "errors": [{ "domain": "global", "reason": reason }], "busy": [] } } });
        let told = |answer: &Value| busy(answer, &asked(&["x"])).unwrap_err();
        assert!(matches!(told(&with("notFound")), ProviderError::Forbidden(text) if text.contains('x')));
        assert_eq!(told(&with("internalError")), ProviderError::Unavailable(None));
        assert_eq!(told(&with("rateLimitExceeded")), ProviderError::RateLimited(None));
        assert!(matches!(told(&with("groupTooBig")), ProviderError::Vendor(_)));
        for answer in [json!({}), json!({ "calendars": {} }), json!({ "calendars": { "x": {} } }), json!([])]
        {
            assert_eq!(told(&answer), ProviderError::Unavailable(None), "{answer}");
        }
    }

    #[test]
    fn an_event_does_not_stand_in_its_own_way() {
        let at = |start, end| Interval { start, end };
        for (taken, wanted, own, expected) in [
            (at(0, 10), at(10, 20), None, false),
            (at(0, 11), at(10, 20), None, true),
            // Half an hour later, over its own second half.
            (at(0, 10), at(5, 15), Some(at(0, 10)), false),
            // The next event was joined with its own.
            (at(0, 12), at(5, 15), Some(at(0, 10)), true),
            (at(-5, 10), at(-5, 5), Some(at(0, 10)), true),
            (at(30, 40), at(35, 45), Some(at(0, 10)), true),
        ] {
            assert_eq!(overlaps_outside(taken, wanted, own), expected, "{taken:?} {wanted:?} {own:?}");
        }
    }
}
