//! Reading the all-day events of an iCalendar file: holidays.

use berth_icalendar::{Component, event::whole_days};
use chrono::NaiveDate;

use crate::{
    limits,
    text::clean_line,
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

/// The all-day events of a file that take place; events with a time of day are passed over. Recurring ones are refused: a holiday file names
/// its days.
///
/// # Errors
/// Names the line.
pub fn all_day_events(bytes: &[u8]) -> Result<Vec<AllDay>, IcsError> {
    let calendars = Component::read_all(bytes).or_else(|refused| bad(refused.line, refused.message))?;
    let mut days = Vec::new();
    for event in calendars.iter().flat_map(|calendar| calendar.all("VEVENT")) {
        if event.says("STATUS", "CANCELLED") {
            continue;
        }
        if !event.closed {
            return bad(event.line, "the VEVENT has no END");
        }
        let Some(found) = whole_days(event).or_else(|why| bad(event.line, format!("the event {why}")))?
        else {
            continue;
        };
        if ["RRULE", "RDATE"].iter().any(|name| event.property(name).is_some()) {
            return bad(event.line, "recurring events are not imported; name each day");
        }
        if !(is_day(found.first) && is_day(found.last)) {
            return bad(event.line, KNOWN_YEARS);
        }
        let summary = clean_line(&event.text("SUMMARY").unwrap_or_default(), 200);
        let summary = if summary.is_empty() { "Holiday".to_owned() } else { summary };
        days.push(AllDay { first: found.first, last: found.last, summary });
        if days.len() > limits::HOURS_RULES_MAX {
            return bad(event.line, format!("at most {} all-day events", limits::HOURS_RULES_MAX));
        }
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
        let event = |lines: &str| {
            line(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"))
        };
        assert_eq!(event("DTSTART;VALUE=DATE:20261399"), 2);
        assert_eq!(line("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\n"), 3);
        for year in ["0000", "0001", "1969", "2200", "2999", "9999"] {
            assert_eq!(event(&format!("DTSTART;VALUE=DATE:{year}1225")), 2, "{year}");
        }
        assert_eq!(
            line(
                &FILE
                    .replace("SUMMARY:A", "X-A:b\r\nSUMMARY:A")
                    .replace("20270101", "20270101\r\nRRULE:FREQ=YEARLY")
            ),
            14
        );
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
