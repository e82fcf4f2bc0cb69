//! Hours that recur as forms spell them: every day, some days of a week, a day of each month, or a rule of one's own; from when to when on the
//! clock, and from which day to which.

use chrono::{NaiveDate, NaiveTime, Timelike, Weekday};
use serde::Deserialize;

use super::{Pattern, Stretch, no_end};
use crate::{problem::FieldError, validate::Fields, zone::Zone};

/// How patterns may be spelled.
const PATTERNS: [&str; 4] = ["daily", "weekly", "monthly", "custom"];
/// Minutes of a day.
const DAY_MINUTES: u32 = 1_440;

/// A pattern, spelled out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpelledPattern {
    /// One of `daily`, `weekly`, `monthly` (on the day of the month that `start_date` is), `custom` (with `rrule`).
    pub pattern: String,
    /// Of `weekly`: 1 is Monday, 6 Saturday, 0 and 7 Sunday.
    #[serde(default)]
    pub days_of_week: Vec<u8>,
    /// Opens.
    #[serde(with = "crate::catalog::member::clock_time")]
    pub start_time: NaiveTime,
    /// Closes, after it opens.
    #[serde(with = "crate::catalog::member::closing_time")]
    pub end_time: Option<NaiveTime>,
    /// First day.
    pub start_date: NaiveDate,
    /// Last day; none, or 9999-12-31, for no last.
    #[serde(default, deserialize_with = "no_end::deserialize")]
    pub end_date: Option<NaiveDate>,
    /// Of `custom`: an `RRULE`.
    #[serde(default)]
    pub rrule: Option<String>,
    /// Whose clock; the owner's if none.
    #[serde(default)]
    pub time_zone: Option<Zone>,
}

fn weekday(number: u8) -> Option<Weekday> {
    match number {
        0 | 7 => Some(Weekday::Sun),
        number => Weekday::try_from(number.checked_sub(1)?).ok(),
    }
}

impl SpelledPattern {
    /// The same as it is kept.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn pattern(self) -> Result<Pattern, Vec<FieldError>> {
        let mut fields = Fields::default();
        let kind = self.pattern.as_str();
        if !PATTERNS.contains(&kind) {
            fields.bad("/pattern", format!("must be one of {}", PATTERNS.join(", ")));
        }
        if self.end_time.is_some_and(|end| end <= self.start_time) {
            fields.bad("/end_time", "must be after start_time; 24:00 is the end of the day");
        }
        fields.day("/start_date", self.start_date);
        if let Some(end) = self.end_date {
            fields.day("/end_date", end);
            if end < self.start_date {
                fields.bad("/end_date", "must not be before start_date");
            }
        }
        let weekdays: Vec<Weekday> = self.weekdays(kind, &mut fields);
        match (kind, &self.rrule) {
            ("custom", None) => fields.bad("/rrule", "is required for custom"),
            ("custom", Some(rule)) if self.end_date.is_some() && has_end(rule) => {
                fields.bad("/end_date", "the rrule says its end itself; give only one of them");
            }
            ("daily" | "weekly" | "monthly", Some(_)) => fields.bad("/rrule", "is only for custom"),
            _ => {}
        }
        let errors = fields.into_errors();
        if !errors.is_empty() {
            return Err(errors);
        }
        if matches!(kind, "daily" | "weekly") {
            return Ok(Pattern {
                weekdays,
                hours: Some(Stretch { start: self.start_time, end: self.end_time }),
                valid_from: Some(self.start_date),
                valid_to: self.end_date,
                time_zone: self.time_zone,
                ..Pattern::default()
            });
        }
        let rule = self.rrule.clone().unwrap_or_else(|| "FREQ=MONTHLY".to_owned());
        let until = self.end_date.map_or_else(String::new, |end| end.format(";UNTIL=%Y%m%d").to_string());
        Ok(Pattern {
            dtstart_local: Some(self.start_date.and_time(self.start_time)),
            rrule: Some(format!("{}{until}", rule.trim_end_matches(';'))),
            duration_minutes: Some(self.minutes()),
            time_zone: self.time_zone,
            ..Pattern::default()
        })
    }

    fn weekdays(&self, kind: &str, fields: &mut Fields) -> Vec<Weekday> {
        const ALL: [Weekday; 7] =
            [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
        match (kind, self.days_of_week.as_slice()) {
            ("daily", []) => return ALL.to_vec(),
            ("weekly", []) => fields.bad("/days_of_week", "must name at least one day"),
            ("daily" | "monthly" | "custom", [_, ..]) => {
                fields.bad("/days_of_week", "is only for weekly");
            }
            _ => {}
        }
        let mut days = Vec::new();
        for (i, number) in self.days_of_week.iter().enumerate() {
            match weekday(*number) {
                Some(day) if days.contains(&day) => {
                    fields.bad(&format!("/days_of_week/{i}"), "is there twice");
                }
                Some(day) => days.push(day),
                None => fields.bad(
                    &format!("/days_of_week/{i}"),
                    "must be 1 (Monday) to 7 (Sunday, also 0)",
                ),
            }
        }
        days
    }

    /// How long it is open each time.
    fn minutes(&self) -> u32 {
        let of = |time: NaiveTime| time.hour().saturating_mul(60).saturating_add(time.minute());
        self.end_time.map_or(DAY_MINUTES, of).saturating_sub(of(self.start_time))
    }
}

/// Does a rule say itself when it ends?
fn has_end(rule: &str) -> bool {
    rule.split(';').filter_map(|part| part.split_once('=')).any(|(name, _)| {
        ["UNTIL", "COUNT"].iter().any(|end| name.trim().eq_ignore_ascii_case(end))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(changes: Value) -> Result<Pattern, Vec<String>> {
        let mut whole = json!({ "pattern": "weekly", "days_of_week": [1, 3, 5], "start_time": "09:00", "end_time": "17:00",
            "start_date": "2027-01-01", "end_date": "2027-12-31" });
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                whole.as_object_mut().unwrap().remove(name);
            } else {
                whole[name] = value.clone();
            }
        }
        let spelled: SpelledPattern = serde_json::from_value(whole).unwrap();
        spelled.pattern().map_err(|errors| errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn weeks_begin_on_monday_and_sunday_has_two_numbers() {
        let days = |days: Value| read(json!({ "days_of_week": days })).map(|pattern| pattern.weekdays);
        assert_eq!(days(json!([1, 3, 5])), Ok(vec![Weekday::Mon, Weekday::Wed, Weekday::Fri]));
        assert_eq!(days(json!([0])), Ok(vec![Weekday::Sun]));
        assert_eq!(days(json!([6, 7])), Ok(vec![Weekday::Sat, Weekday::Sun]));
        assert_eq!(days(json!([0, 7])), Err(vec!["/days_of_week/1".to_owned()]));
        assert_eq!(days(json!([8, 1, 255])), Err(vec!["/days_of_week/0".to_owned(), "/days_of_week/2".to_owned()]));
        assert_eq!(days(json!([])), Err(vec!["/days_of_week".to_owned()]));
    }

    #[test]
    fn each_spelling_is_a_pattern() {
        let weekly = read(json!({})).unwrap();
        assert_eq!(weekly.valid_to, Some("2027-12-31".parse().unwrap()));
        let daily = read(json!({ "pattern": "daily", "days_of_week": null, "end_date": "9999-12-31" })).unwrap();
        assert_eq!((daily.weekdays.len(), daily.valid_to), (7, None), "9999-12-31 is no end");
        let monthly = read(json!({ "pattern": "monthly", "days_of_week": null, "end_time": "24:00" })).unwrap();
        assert_eq!(monthly.rrule.as_deref(), Some("FREQ=MONTHLY;UNTIL=20271231"));
        assert_eq!(monthly.duration_minutes, Some(15 * 60));
        assert_eq!(monthly.dtstart_local.unwrap().to_string(), "2027-01-01 09:00:00");
        let custom = json!({ "pattern": "custom", "days_of_week": null, "end_date": null, "rrule": "FREQ=WEEKLY;INTERVAL=2;" });
        assert_eq!(read(custom).unwrap().rrule.as_deref(), Some("FREQ=WEEKLY;INTERVAL=2"));
        let mut fields = Fields::default();
        for pattern in [weekly, daily, monthly] {
            pattern.check(&mut fields);
        }
        assert!(fields.into_errors().is_empty());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (changes, field) in [
            (json!({ "pattern": "yearly" }), "/pattern"),
            (json!({ "end_time": "09:00" }), "/end_time"),
            (json!({ "end_date": "2026-12-31" }), "/end_date"),
            (json!({ "start_date": "1969-12-31" }), "/start_date"),
            (json!({ "end_date": "9999-12-30" }), "/end_date"),
            (json!({ "rrule": "FREQ=DAILY" }), "/rrule"),
            (json!({ "pattern": "daily" }), "/days_of_week"),
            (json!({ "pattern": "custom", "days_of_week": null }), "/rrule"),
            (json!({ "pattern": "custom", "days_of_week": null, "rrule": "FREQ=DAILY;count=3" }), "/end_date"),
        ] {
            assert_eq!(read(changes.clone()), Err(vec![field.to_owned()]), "{changes}");
        }
    }
}
