//! What people write, and what it is taken for.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scheduling::rule::Rule;

fn read(value: &Value) -> Result<Pattern, Vec<FieldError>> {
    let written = written(value).map_err(|error| vec![error])?;
    written.map_or_else(|| json::read(value).map_err(|error| vec![error]), Written::pattern)
}

fn pattern(value: &Value) -> Value {
    let pattern = read(value).unwrap_or_else(|wrong| panic!("{value}: {wrong:?}"));
    let mut fields = Fields::default();
    Rule::Pattern(pattern.clone()).check(&mut fields);
    assert_eq!(fields.into_errors(), [], "{value}");
    let mut shown = serde_json::to_value(pattern).unwrap();
    shown.as_object_mut().unwrap().retain(|_, value| !value.is_null() && *value != json!([]));
    shown
}

fn wrong(value: &Value) -> Vec<String> {
    let Err(errors) = read(value) else { panic!("{value} is taken") };
    errors.into_iter().map(|error| error.field).collect()
}

#[test]
fn each_kind_is_a_pattern() {
    let hours = json!({ "start": "09:00", "end": "17:00" });
    for (sent, taken_for) in [
        (
            json!({ "pattern": "weekly", "daysOfWeek": [1, 3, 5], "startTime": "09:00", "endTime": "17:00",
                "startDate": "2027-01-01", "endDate": "2027-12-31" }),
            json!({ "weekdays": ["Mon", "Wed", "Fri"], "hours": hours, "valid_from": "2027-01-01", "valid_to": "2027-12-31" }),
        ),
        (
            json!({ "days_of_week": [0, 7, 6, "sun", "Monday"], "start_time": "09:00:00", "end_time": "17:00",
                "end_date": "9999-12-31", "time_zone": "Asia/Tokyo" }),
            json!({ "weekdays": ["Sun", "Sat", "Mon"], "hours": hours, "time_zone": "Asia/Tokyo" }),
        ),
        (
            json!({ "pattern": "daily", "startTime": "22:30", "endTime": "24:00" }),
            json!({ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "hours": { "start": "22:30", "end": "24:00" } }),
        ),
        (
            json!({ "pattern": "monthly", "startTime": "09:00", "endTime": "10:30", "startDate": "2027-01-15" }),
            json!({ "dtstart_local": "2027-01-15T09:00:00", "rrule": "FREQ=MONTHLY", "duration_minutes": 90 }),
        ),
        (
            json!({ "pattern": "custom", "rrule": "FREQ=MONTHLY;BYDAY=1MO", "startTime": "20:00", "endTime": "24:00",
                "startDate": "2027-01-04", "endDate": "2027-06-30" }),
            json!({ "dtstart_local": "2027-01-04T20:00:00", "rrule": "FREQ=MONTHLY;BYDAY=1MO;UNTIL=20270630", "duration_minutes": 240 }),
        ),
        (
            json!({ "pattern": "custom", "rrule": "FREQ=DAILY;COUNT=3", "dtstart_local": "2027-01-04T20:00:00", "duration_minutes": 30 }),
            json!({ "dtstart_local": "2027-01-04T20:00:00", "rrule": "FREQ=DAILY;COUNT=3", "duration_minutes": 30 }),
        ),
        // In its own members, as ever; only the end is read otherwise.
        (
            json!({ "weekdays": ["Mon"], "hours": hours, "validTo": "9999-12-31" }),
            json!({ "weekdays": ["Mon"], "hours": hours }),
        ),
    ] {
        assert_eq!(pattern(&sent), taken_for, "{sent}");
    }
}

#[test]
fn what_is_wrong_has_its_name() {
    let weekly = |changes: Value| {
        let mut body =
            json!({ "pattern": "weekly", "daysOfWeek": [1], "startTime": "09:00", "endTime": "17:00" });
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                body.as_object_mut().unwrap().remove(name);
            } else {
                body[name] = value.clone();
            }
        }
        body
    };
    for (changes, fields) in [
        (json!({ "pattern": "fortnightly" }), vec!["/pattern"]),
        (json!({ "pattern": "Weekly" }), vec!["/pattern"]),
        (json!({ "pattern": 7 }), vec!["/pattern"]),
        (json!({ "daysOfWeek": [1, 8] }), vec!["/days_of_week/1"]),
        (
            json!({ "daysOfWeek": [-1, 1.5, "someday", null] }),
            vec!["/days_of_week/0", "/days_of_week/1", "/days_of_week/2", "/days_of_week/3"],
        ),
        (json!({ "daysOfWeek": [] }), vec!["/days_of_week"]),
        (json!({ "daysOfWeek": null }), vec!["/days_of_week"]),
        (json!({ "startTime": null, "endTime": null }), vec!["/start_time", "/end_time"]),
        (json!({ "startTime": "9:00" }), vec!["/start_time"]),
        (json!({ "startTime": "09:00:30" }), vec!["/start_time"]),
        (json!({ "endTime": "09:00" }), vec!["/end_time"]),
        (json!({ "endTime": "25:00" }), vec!["/end_time"]),
        (json!({ "startDate": "9999-12-31" }), vec!["/start_date"]),
        (json!({ "endDate": "9999-12-30" }), vec!["/end_date"]),
        (json!({ "endDate": "2200-01-01" }), vec!["/end_date"]),
        (json!({ "startDate": "2027-02-01", "endDate": "2027-01-01" }), vec!["/end_date"]),
        (json!({ "endDate": "2027-02-30" }), vec!["/end_date"]),
        (json!({ "rrule": "FREQ=DAILY" }), vec!["/rrule"]),
        (json!({ "hours": { "start": "09:00", "end": "10:00" } }), vec!["/start_time", "/end_time"]),
        (json!({ "everyWeeks": 2 }), vec!["/everyWeeks"]),
        (json!({ "pattern": "daily" }), vec!["/days_of_week"]),
        (json!({ "pattern": "monthly" }), vec!["/days_of_week", "/start_date"]),
        (
            json!({ "pattern": "monthly", "daysOfWeek": null, "startDate": "2027-01-01", "rrule": "FREQ=DAILY" }),
            vec!["/rrule"],
        ),
        (json!({ "pattern": "custom", "daysOfWeek": null }), vec!["/rrule"]),
        (json!({ "pattern": "custom", "daysOfWeek": null, "rrule": "FREQ=DAILY" }), vec!["/start_date"]),
        (
            json!({ "pattern": "custom", "daysOfWeek": null, "rrule": "FREQ=DAILY;COUNT=2", "startDate": "2027-01-01",
            "endDate": "2027-02-01" }),
            vec!["/end_date"],
        ),
    ] {
        assert_eq!(wrong(&weekly(changes.clone())), fields, "{changes}");
    }
}

proptest! {
    #[test]
    fn days_are_those_that_were_numbered(numbers in prop::collection::vec(0_u64..=7, 1..12)) {
        let days = pattern(&json!({ "daysOfWeek": numbers, "startTime": "09:00", "endTime": "17:00" }))["weekdays"].clone();
        let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let named: Vec<&str> = days.as_array().unwrap().iter().map(|day| day.as_str().unwrap()).collect();
        prop_assert!(numbers.iter().all(|n| named.contains(&names[usize::try_from(*n).unwrap()])));
        prop_assert!(named.iter().all(|day| numbers.iter().any(|n| names[usize::try_from(*n).unwrap()] == *day)));
        prop_assert_eq!(named.iter().collect::<std::collections::BTreeSet<_>>().len(), named.len());
    }
}
