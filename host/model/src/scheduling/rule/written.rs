//! A pattern as people write it: `weekly` with days and times, `daily`, `monthly`, or `custom` with a rule of its own.

#[cfg(test)]
mod tests;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Pattern, Stretch};
use crate::{
    catalog::member::clock_time,
    json::{self, names::field_of},
    problem::FieldError,
    time::{KNOWN_YEARS, is_day},
    validate::Fields,
    zone::Zone,
};

/// What stands for "no end" where the end of something is a day. It is taken as an end only; no other day beyond the years that are known is.
fn is_no_end(day: NaiveDate) -> bool {
    NaiveDate::from_ymd_opt(9_999, 12, 31) == Some(day)
}

/// The last day of something that may have none.
pub(super) fn open_end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    Ok(Option::<NaiveDate>::deserialize(deserializer)?.filter(|day| !is_no_end(*day)))
}

/// The last day of something that ends: without end is to the last day that is known.
pub(super) fn far_end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let day = Option::<NaiveDate>::deserialize(deserializer)?;
    Ok(match day {
        Some(day) if is_no_end(day) => NaiveDate::from_ymd_opt(2_199, 12, 31),
        day => day,
    })
}

/// Kinds of patterns.
const KINDS: &str = "daily, weekly, monthly, custom";

/// The names by which one is known to be written so.
const OWN: [&str; 6] = ["pattern", "days_of_week", "start_time", "end_time", "start_date", "end_date"];

/// A pattern as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    pattern: Option<Value>,
    #[serde(alias = "weekdays")]
    days_of_week: Option<Vec<Value>>,
    start_time: Option<String>,
    end_time: Option<String>,
    hours: Option<Stretch>,
    #[serde(alias = "valid_from")]
    start_date: Option<NaiveDate>,
    #[serde(alias = "valid_to", deserialize_with = "open_end")]
    end_date: Option<NaiveDate>,
    dtstart_local: Option<NaiveDateTime>,
    rrule: Option<String>,
    duration_minutes: Option<u32>,
    exdates_local: Vec<NaiveDateTime>,
    rdates_local: Vec<NaiveDateTime>,
    time_zone: Option<Zone>,
}

/// The pattern, if it is written so; none if it stands in the members of [`Pattern`] alone.
///
/// # Errors
/// The member that cannot be read.
pub fn written(value: &Value) -> Result<Option<Written>, FieldError> {
    let own = |name: &String| OWN.contains(&field_of(name, &OWN).as_ref());
    if value.as_object().is_some_and(|members| members.keys().any(own)) {
        json::read(value).map(Some)
    } else {
        Ok(None)
    }
}

impl Written {
    /// In the members of a pattern.
    ///
    /// # Errors
    /// Every member that is wrong, by the name that it has here.
    pub fn pattern(self) -> Result<Pattern, Vec<FieldError>> {
        let mut fields = Fields::default();
        let kind = match &self.pattern {
            None if self.rrule.is_some() || self.dtstart_local.is_some() => "custom",
            None => "weekly",
            Some(Value::String(kind)) => kind.as_str(),
            Some(_) => "",
        };
        for (field, day) in [("/start_date", self.start_date), ("/end_date", self.end_date)] {
            if day.is_some_and(|day| !is_day(day)) {
                fields.bad(field, KNOWN_YEARS);
            }
        }
        if self.start_date.zip(self.end_date).is_some_and(|(first, last)| last < first) {
            fields.bad("/end_date", "must not be before start_date");
        }
        let pattern = match kind {
            "daily" => {
                only_of(&mut fields, "weekly", &[("/days_of_week", self.days_of_week.is_some())]);
                let week =
                    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat];
                self.weekly(week.into_iter().chain([Weekday::Sun]).collect(), &mut fields)
            }
            "weekly" => {
                let days = self.days(&mut fields);
                self.weekly(days, &mut fields)
            }
            "monthly" => self.monthly(&mut fields),
            "custom" => self.custom(&mut fields),
            _ => {
                fields.bad("/pattern", format!("must be one of {KINDS}"));
                Pattern::default()
            }
        };
        let wrong = fields.into_errors();
        if wrong.is_empty() { Ok(pattern) } else { Err(wrong) }
    }

    /// Which days, each once.
    fn days(&self, fields: &mut Fields) -> Vec<Weekday> {
        let mut days = Vec::new();
        for (i, day) in self.days_of_week.iter().flatten().enumerate() {
            match weekday(day) {
                Some(day) if days.contains(&day) => {}
                Some(day) => days.push(day),
                None => fields.bad(
                    &format!("/days_of_week/{i}"),
                    "must be 0 to 7 (1 is Monday; 0 and 7 are Sunday) or a name such as Mon",
                ),
            }
        }
        if self.days_of_week.as_ref().is_none_or(Vec::is_empty) {
            fields.bad(
                "/days_of_week",
                "must name at least one day: 0 to 7, where 1 is Monday, and 0 and 7 Sunday",
            );
        }
        days
    }

    /// From when to when it is open.
    fn stretch(&self, fields: &mut Fields) -> Option<Stretch> {
        if self.hours.is_some() {
            only_of(
                fields,
                "where hours is not given",
                &[("/start_time", self.start_time.is_some()), ("/end_time", self.end_time.is_some())],
            );
            return self.hours.clone();
        }
        let start = time(fields, "/start_time", self.start_time.as_deref());
        let end = match self.end_time.as_deref() {
            Some("24:00" | "24:00:00") => Some(None),
            text => time(fields, "/end_time", text).map(Some),
        };
        let (start, end) = start.zip(end)?;
        if end.is_some_and(|end| end <= start) {
            fields.bad("/end_time", "must be after start_time; 24:00 is the end of the day");
        }
        Some(Stretch { start, end })
    }

    fn weekly(self, weekdays: Vec<Weekday>, fields: &mut Fields) -> Pattern {
        only_of(
            fields,
            "custom",
            &[
                ("/rrule", self.rrule.is_some()),
                ("/dtstart_local", self.dtstart_local.is_some()),
                ("/duration_minutes", self.duration_minutes.is_some()),
                ("/exdates_local", !self.exdates_local.is_empty()),
                ("/rdates_local", !self.rdates_local.is_empty()),
            ],
        );
        let hours = self.stretch(fields);
        Pattern {
            weekdays,
            hours,
            valid_from: self.start_date,
            valid_to: self.end_date,
            time_zone: self.time_zone,
            ..Pattern::default()
        }
    }

    /// On the day of the month that the first day has; a month without such a day is left out.
    fn monthly(self, fields: &mut Fields) -> Pattern {
        only_of(
            fields,
            "weekly; other days of a month need custom, with rrule",
            &[("/days_of_week", self.days_of_week.is_some())],
        );
        only_of(
            fields,
            "custom",
            &[
                ("/rrule", self.rrule.is_some()),
                ("/dtstart_local", self.dtstart_local.is_some()),
                ("/duration_minutes", self.duration_minutes.is_some()),
            ],
        );
        if self.start_date.is_none() {
            fields.bad("/start_date", "is required: it says which day of the month is meant");
        }
        self.recurring("FREQ=MONTHLY".to_owned(), fields)
    }

    fn custom(self, fields: &mut Fields) -> Pattern {
        only_of(fields, "weekly", &[("/days_of_week", self.days_of_week.is_some())]);
        let Some(rule) = self.rrule.clone() else {
            fields.bad("/rrule", "is required: a rule of RFC 5545 such as FREQ=MONTHLY;BYDAY=1MO");
            return Pattern::default();
        };
        let upper = rule.to_ascii_uppercase();
        if self.end_date.is_some() && (upper.contains("UNTIL=") || upper.contains("COUNT=")) {
            fields.bad("/end_date", "is said by rrule already (UNTIL or COUNT); leave one of the two out");
        }
        if self.dtstart_local.is_some() {
            only_of(
                fields,
                "custom without dtstart_local",
                &[
                    ("/start_date", self.start_date.is_some()),
                    ("/start_time", self.start_time.is_some()),
                    ("/end_time", self.end_time.is_some()),
                    ("/hours", self.hours.is_some()),
                ],
            );
            let until = self.until(rule);
            return Pattern {
                dtstart_local: self.dtstart_local,
                rrule: Some(until),
                duration_minutes: self.duration_minutes,
                exdates_local: self.exdates_local,
                rdates_local: self.rdates_local,
                time_zone: self.time_zone,
                ..Pattern::default()
            };
        }
        if self.start_date.is_none() {
            fields.bad("/start_date", "is required: the first day");
        }
        if self.duration_minutes.is_some() {
            fields.bad("/duration_minutes", "is said by start_time and end_time; leave it out");
        }
        self.recurring(rule, fields)
    }

    /// The rule with the day on which it ends.
    fn until(&self, rule: String) -> String {
        match self.end_date {
            Some(last) => format!("{rule};UNTIL={}", last.format("%Y%m%d")),
            None => rule,
        }
    }

    /// With its first day, and open from when to when.
    fn recurring(self, rule: String, fields: &mut Fields) -> Pattern {
        let hours = self.stretch(fields);
        let rule = self.until(rule);
        let minutes = hours.as_ref().map(|hours| {
            let seconds = hours
                .end
                .map_or(chrono::TimeDelta::days(1) - (hours.start - NaiveTime::MIN), |end| end - hours.start);
            u32::try_from(seconds.num_minutes()).unwrap_or(0)
        });
        Pattern {
            dtstart_local: self.start_date.zip(hours).map(|(day, hours)| day.and_time(hours.start)),
            rrule: Some(rule),
            duration_minutes: minutes,
            exdates_local: self.exdates_local,
            rdates_local: self.rdates_local,
            time_zone: self.time_zone,
            ..Pattern::default()
        }
    }
}

/// Note what is only for another kind.
fn only_of(fields: &mut Fields, kind: &str, given: &[(&str, bool)]) {
    for (field, is_given) in given {
        if *is_given {
            fields.bad(field, format!("is only for {kind}"));
        }
    }
}

/// A day of the week by its number or name.
fn weekday(day: &Value) -> Option<Weekday> {
    match day {
        Value::Number(number) => Some(match number.as_u64()? {
            0 | 7 => Weekday::Sun,
            1 => Weekday::Mon,
            2 => Weekday::Tue,
            3 => Weekday::Wed,
            4 => Weekday::Thu,
            5 => Weekday::Fri,
            6 => Weekday::Sat,
            _ => return None,
        }),
        Value::String(name) => name.parse().ok(),
        _ => None,
    }
}

/// A time of day, whose seconds may be written if there are none.
fn time(fields: &mut Fields, field: &str, text: Option<&str>) -> Option<NaiveTime> {
    let Some(text) = text else {
        fields.bad(field, "is required, such as 09:30");
        return None;
    };
    let time = clock_time::parse(text.strip_suffix(":00").filter(|short| short.len() == 5).unwrap_or(text));
    if time.is_none() {
        fields.bad(field, "must be a time such as 09:30");
    }
    time
}
