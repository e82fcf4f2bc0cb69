//! Reading the all-day events of an iCalendar file: holidays.

use chrono::{Days, NaiveDate};

use crate::{
    limits,
    time::{KNOWN_YEARS, is_day},
};

/// An event of whole days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllDay {
    /// First day.
    pub first: NaiveDate,
    /// Last day.
    pub last: NaiveDate,
    /// `SUMMARY`, or `Holiday`.
    pub summary: String,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct IcsError {
    /// Counted from 1, as in the file.
    pub line: usize,
    /// What is wrong and what is allowed.
    pub message: String,
}

fn bad<T>(line: usize, message: impl Into<String>) -> Result<T, IcsError> {
    Err(IcsError { line, message: message.into() })
}

/// Lines with their continuations joined (RFC 5545 section 3.1), each with its number.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, last))) => last.push_str(more),
            _ => lines.push((i.saturating_add(1), line.to_owned())),
        }
    }
    lines
}

/// `TEXT` without its escapes (section 3.3.11).
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    crate::text::clean_line(out.trim(), 200)
}

#[derive(Default)]
struct Event {
    first: Option<NaiveDate>,
    end: Option<NaiveDate>,
    summary: String,
}

/// The all-day events of a file; events with a time of day are passed over. Recurring ones are refused: a holiday file names its days.
///
/// # Errors
/// Names the line.
pub fn all_day_events(bytes: &[u8]) -> Result<Vec<AllDay>, IcsError> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bad(1, "must be UTF-8") };
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().get(..15).is_some_and(|start| start.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return bad(1, "must begin with BEGIN:VCALENDAR");
    }
    let mut days = Vec::new();
    let mut open: Option<Event> = None;
    for (number, line) in unfolded(text) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
        match (name.to_ascii_uppercase().as_str(), &mut open) {
            ("BEGIN", _) if value.eq_ignore_ascii_case("VEVENT") => open = Some(Event::default()),
            ("END", Some(_)) if value.eq_ignore_ascii_case("VEVENT") => {
                let event = open.take().unwrap_or_default();
                let Some(first) = event.first else { continue };
                // DTEND is the first day after.
                let last = event.end.and_then(|end| end.checked_sub_days(Days::new(1))).unwrap_or(first);
                if last < first {
                    return bad(number, "the event ends before it begins");
                }
                let summary = if event.summary.is_empty() { "Holiday".to_owned() } else { event.summary };
                days.push(AllDay { first, last, summary });
                if days.len() > limits::HOURS_RULES_MAX {
                    return bad(number, format!("at most {} all-day events", limits::HOURS_RULES_MAX));
                }
            }
            ("DTSTART" | "DTEND", Some(event))
                if parameters.to_ascii_uppercase().contains("VALUE=DATE") || value.len() == 8 =>
            {
                // VALUE=DATE-TIME has a time of day.
                if value.len() != 8 {
                    continue;
                }
                let Ok(day) = NaiveDate::parse_from_str(value, "%Y%m%d") else {
                    return bad(number, "must be a date such as 20261225");
                };
                // The end is the first day after, and may be the first that is not known.
                let ends = event.first.is_some() && day.pred_opt().is_some_and(is_day);
                if !(is_day(day) || ends) {
                    return bad(number, KNOWN_YEARS);
                }
                if name.eq_ignore_ascii_case("DTSTART") {
                    event.first = Some(day);
                } else {
                    event.end = Some(day);
                }
            }
            ("SUMMARY", Some(event)) => event.summary = unescaped(value),
            ("RRULE" | "RDATE", Some(_)) => {
                return bad(number, "recurring events are not imported; name each day");
            }
            _ => {}
        }
    }
    if open.is_some() {
        return bad(text.lines().count(), "the last VEVENT has no END");
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert, proptest};

    const FILE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas\\, and\r\n  Boxing Day\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20261231T180000Z\r\nSUMMARY:A party\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn whole_days_are_read_and_times_of_day_passed_over() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        let found = all_day_events(FILE.as_bytes()).unwrap();
        let christmas = AllDay {
            first: day(2026, 12, 25),
            last: day(2026, 12, 26),
            summary: "Christmas, and Boxing Day".into(),
        };
        let new_year = AllDay { first: day(2027, 1, 1), last: day(2027, 1, 1), summary: "Holiday".into() };
        assert_eq!(found, [christmas, new_year]);
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        let line = |text: &str| all_day_events(text.as_bytes()).unwrap_err().line;
        assert_eq!(line("nothing"), 1);
        assert_eq!(line("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261399\n"), 3);
        assert_eq!(line("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\n"), 3);
        for year in ["0000", "0001", "1969", "2200", "2999", "9999"] {
            assert_eq!(
                line(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:{year}1225\n")),
                3,
                "{year}"
            );
        }
        assert_eq!(line(&FILE.replace("SUMMARY:A", "RRULE:FREQ=DAILY\r\nSUMMARY:A")), 11);
        assert_eq!(all_day_events(&[0xff, 0xfe]).unwrap_err().line, 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = all_day_events(&bytes);
        }

        #[test]
        fn a_damaged_file_is_read_or_refused(at in 0..FILE.len(), byte in any::<u8>(), cut in 0..FILE.len()) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            if let Ok(days) = all_day_events(&bytes) {
                prop_assert!(days.iter().all(|d| d.first <= d.last));
            }
        }
    }
}
