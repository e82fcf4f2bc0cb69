//! Local times as people write them: without an offset, on the clock of a zone.

use chrono::{FixedOffset, NaiveDateTime, SecondsFormat, Timelike};

use super::hours::{instant_of, is_shown_twice, local_of};
use crate::{
    time::{Instant, KNOWN_YEARS, is_day},
    zone::Zone,
};

/// The instant of a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// The first one; by the offset before where it is never shown.
    pub at: Instant,
    /// How often the clock shows it.
    pub shown: HowOften,
}

/// How often a clock shows a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowOften {
    /// It is set forward over it.
    Never,
    /// As most.
    Once,
    /// It is set back over it.
    Twice,
}

impl HowOften {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Once => "once",
            Self::Twice => "twice",
        }
    }
}

/// Why a text is no local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocalError {
    /// It is written otherwise.
    #[error("must be a local time such as 2026-12-01T09:00")]
    Form,
    /// It lies beyond the ends of time.
    #[error("{KNOWN_YEARS}")]
    Domain,
}

/// The instant at which a clock of this zone shows what is written: `2026-12-01T09:00`, with or without seconds.
///
/// # Errors
/// When it is written otherwise, or lies beyond the ends of time.
pub fn read(zone: Zone, text: &str) -> Result<Local, LocalError> {
    let form = match text.len() {
        16 => "%Y-%m-%dT%H:%M",
        19 => "%Y-%m-%dT%H:%M:%S",
        _ => return Err(LocalError::Form),
    };
    let local = NaiveDateTime::parse_from_str(text, form).map_err(|_| LocalError::Form)?;
    // A leap second.
    if local.nanosecond() != 0 {
        return Err(LocalError::Form);
    }
    let at = instant_of(zone, local);
    let is_there = local_of(zone, at) == local;
    // What lies beyond the ends is not shown at them, and that is no change of a clock.
    if !is_day(local.date()) || !is_there && [Instant::MIN, Instant::MAX].contains(&at) {
        return Err(LocalError::Domain);
    }
    let shown = match (is_there, is_shown_twice(zone, local)) {
        (false, _) => HowOften::Never,
        (true, true) => HowOften::Twice,
        (true, false) => HowOften::Once,
    };
    Ok(Local { at, shown })
}

/// What a clock of this zone shows at an instant: `2026-12-01T09:00:00`.
#[must_use]
pub fn text_of(zone: Zone, at: Instant) -> String {
    local_of(zone, at).format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// An instant with the offset that a clock of this zone has then: `2026-12-01T09:00:00+01:00`. Offsets with seconds, of long ago, are UTC's.
#[must_use]
pub fn at_clock(zone: Zone, at: Instant) -> String {
    let seconds = zone.offset_seconds(at);
    let offset = FixedOffset::east_opt(seconds).filter(|_| seconds % 60 == 0);
    match offset {
        Some(offset) => at.to_chrono().with_timezone(&offset).to_rfc3339_opts(SecondsFormat::AutoSi, false),
        None => at.to_string(),
    }
}

/// The same, with `Z` where the offset is none.
#[must_use]
pub fn at_offset(zone: Zone, at: Instant) -> String {
    if zone.offset_seconds(at) == 0 { at.to_string() } else { at_clock(zone, at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_are_read_in_one_form_and_within_the_ends_of_time() {
        let warsaw: Zone = "Europe/Warsaw".parse().unwrap();
        for (text, at, shown) in [
            ("2026-12-01T09:00", "2026-12-01T08:00:00Z", HowOften::Once),
            ("2026-12-01T09:00:30", "2026-12-01T08:00:30Z", HowOften::Once),
            ("2027-03-28T02:30", "2027-03-28T01:30:00Z", HowOften::Never),
            ("2026-10-25T02:30", "2026-10-25T00:30:00Z", HowOften::Twice),
            ("2199-12-31T23:59", "2199-12-31T22:59:00Z", HowOften::Once),
        ] {
            assert_eq!(read(warsaw, text), Ok(Local { at: at.parse().unwrap(), shown }), "{text}");
        }
        for bad in [
            "",
            "2026-12-01",
            "2026-12-01 09:00",
            "2026-12-01T09:00Z",
            "2026-12-01T9:00",
            "2026-02-30T09:00",
            "2026-12-01T09:00:60",
        ] {
            assert_eq!(read(warsaw, bad), Err(LocalError::Form), "{bad}");
        }
        for bad in [
            "1970-01-01T00:30",
            "1969-12-31T23:00",
            "2200-01-01T00:00",
            "9999-12-31T23:59",
            "0001-01-01T00:00",
        ] {
            assert_eq!(read(warsaw, bad), Err(LocalError::Domain), "{bad}");
        }
        let behind: Zone = "America/New_York".parse().unwrap();
        assert_eq!(read(behind, "2199-12-31T23:00"), Err(LocalError::Domain), "that is in the year 2200");
        for (zone, at, text) in [
            ("Europe/Warsaw", "2026-12-01T08:00:00Z", "2026-12-01T09:00:00+01:00"),
            ("UTC", "2026-12-01T08:00:00.5Z", "2026-12-01T08:00:00.500+00:00"),
            ("America/St_Johns", "2199-12-31T23:59:59Z", "2199-12-31T20:29:59-03:30"),
            ("Africa/Monrovia", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            let written = at_clock(zone.parse().unwrap(), at.parse().unwrap());
            assert_eq!(written, text);
            assert_eq!(written.parse::<Instant>(), at.parse::<Instant>(), "{zone}");
        }
        assert_eq!(text_of(warsaw, "2026-12-01T08:00:00.5Z".parse().unwrap()), "2026-12-01T09:00:00.500");
    }
}
