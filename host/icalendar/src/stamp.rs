//! Dates, times and lengths (RFC 5545 sections 3.3.4 to 3.3.6).

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// A date or time. A time without a `Z` is on somebody's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// In UTC.
    Utc(NaiveDateTime),
    /// On a wall clock.
    Local(NaiveDateTime),
    /// A whole day.
    Day(NaiveDate),
}

impl Stamp {
    /// `20300105T090000Z`, `20300105T100000`, `20300105`; blanks around it are passed over. A leap second is the last of its minute.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let Some((date, clock)) = text.split_once(['T', 't']) else { return day(text).map(Self::Day) };
        let utc = clock.strip_suffix(['Z', 'z']);
        let [hour, minute, second] = numbers(utc.unwrap_or(clock), [2, 2, 2])?;
        let time = NaiveTime::from_hms_opt(hour, minute, if second == 60 { 59 } else { second })?;
        let at = day(date)?.and_time(time);
        Some(if utc.is_some() { Self::Utc(at) } else { Self::Local(at) })
    }

    /// What a clock shows then; of a day its midnight.
    #[must_use]
    pub const fn shown(self) -> NaiveDateTime {
        match self {
            Self::Utc(at) | Self::Local(at) => at,
            Self::Day(day) => day.and_time(NaiveTime::MIN),
        }
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    let [year, month, day] = numbers(text, [4, 2, 2])?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// Numbers of so many digits each, and nothing else.
fn numbers(text: &str, lengths: [usize; 3]) -> Option<[u32; 3]> {
    let mut rest = text;
    let mut found = [0; 3];
    for (number, length) in found.iter_mut().zip(lengths) {
        let (digits, after) = rest.split_at_checked(length)?;
        *number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
        rest = after;
    }
    rest.is_empty().then_some(found)
}

/// A time in UTC as text: `20300105T090000Z`.
#[must_use]
pub fn utc(at: NaiveDateTime) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// How long something lasts. Days are those of the calendar, on the wall clock of where it begins, whatever clocks do between; hours, minutes
/// and seconds are exact, and come after the days (section 3.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Length {
    /// Days, weeks included.
    pub days: i64,
    /// Seconds.
    pub seconds: i64,
}

/// Most digits of a number in a length: more is no time.
const DIGITS_MAX: usize = 9;

impl Length {
    /// So many days.
    #[must_use]
    pub const fn of_days(days: i64) -> Self {
        Self { days, seconds: 0 }
    }

    /// So many seconds.
    #[must_use]
    pub const fn of_seconds(seconds: i64) -> Self {
        Self { days: 0, seconds }
    }

    /// `PT1H30M`, `P1W`, `-PT15M`; blanks around it are passed over. `P` and `PT` alone are none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mut length, mut number, mut in_day, mut any) = (Self::default(), String::new(), false, false);
        for c in rest.strip_prefix(['P', 'p'])?.chars().map(|c| c.to_ascii_uppercase()) {
            let (days, seconds) = match (c, in_day) {
                ('0'..='9', _) if number.len() < DIGITS_MAX => {
                    number.push(c);
                    continue;
                }
                ('T', false) if number.is_empty() => {
                    (in_day, any) = (true, false);
                    continue;
                }
                ('W', false) => (7, 0),
                ('D', false) => (1, 0),
                ('H', true) => (0, 3_600),
                ('M', true) => (0, 60),
                ('S', true) => (0, 1),
                _ => return None,
            };
            let n = number.parse::<i64>().ok()?.checked_mul(sign)?;
            length.days = length.days.checked_add(n.checked_mul(days)?)?;
            length.seconds = length.seconds.checked_add(n.checked_mul(seconds)?)?;
            number.clear();
            any = true;
        }
        (number.is_empty() && any).then_some(length)
    }

    /// Does it lead back?
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.days < 0 || self.seconds < 0
    }

    /// The wall clock time so many days later.
    #[must_use]
    pub fn after_days(self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let days = Days::new(self.days.unsigned_abs());
        if self.days < 0 { local.checked_sub_days(days) } else { local.checked_add_days(days) }
    }

    /// The instant so many seconds later.
    #[must_use]
    pub fn after_seconds(self, utc: NaiveDateTime) -> Option<NaiveDateTime> {
        utc.checked_add_signed(TimeDelta::try_seconds(self.seconds)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn times_with_and_without_a_zone() {
        let at = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
        for (text, expected) in [
            ("20300105T090000Z", Some(Stamp::Utc(at("2030-01-05 09:00:00")))),
            ("20300105T100000", Some(Stamp::Local(at("2030-01-05 10:00:00")))),
            ("20300105t100060 ", Some(Stamp::Local(at("2030-01-05 10:00:59")))),
            (" 20300105\t", Some(Stamp::Day(at("2030-01-05 00:00:00").date()))),
            ("20300230", None),
            ("20300105T10", None),
            ("20300105T250000Z", None),
            ("20300105T240000Z", None),
            ("2030-01-05T09:00:00Z", None),
            ("+0300105T090000Z", None),
            ("é0300105T090000Z", None),
            ("2030010", None),
            ("203001050", None),
            ("", None),
        ] {
            assert_eq!(Stamp::read(text), expected, "{text}");
        }
        assert_eq!(utc(at("2030-01-05 09:00:00")), "20300105T090000Z");
    }

    #[test]
    fn lengths() {
        let length = |days, seconds| Some(Length { days, seconds });
        for (text, expected) in [
            ("PT30M", length(0, 1_800)),
            ("P1DT2H3M4S", length(1, 7_384)),
            ("-P2W", length(-14, 0)),
            ("+PT0S", length(0, 0)),
            (" P1D ", length(1, 0)),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("P1H", None),
            ("PT1D", None),
            ("P1D2", None),
            ("P9999999999W", None),
            ("30", None),
            ("", None),
        ] {
            assert_eq!(Length::read(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), like in "[-+]?P?[0-9WDTHMS]{0,12}") {
            for text in [text, like] {
                let _ = (Stamp::read(&text), Length::read(&text));
            }
        }

        #[test]
        fn what_is_written_is_read(seconds in 0..7_258_118_400_i64) {
            let at = chrono::DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
            prop_assert_eq!(Stamp::read(&utc(at)), Some(Stamp::Utc(at)));
        }
    }
}
