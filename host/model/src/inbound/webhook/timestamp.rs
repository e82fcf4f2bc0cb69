//! When a webhook says it was sent.

use serde_json::Value;

use super::{Refused, header_parts, single_header};
use crate::{
    limits,
    plugins::manifest::{TimestampFormat, TimestampSource},
    time::Instant,
};

/// The time as it is written in the message, since that very text may be part of what is signed.
pub(super) fn text(
    source: &TimestampSource,
    headers: &[(String, String)],
    signature_header: &str,
    body: &[u8],
) -> Result<String, Refused> {
    let found = if let Some(name) = &source.header {
        single_header(headers, name)?.map(|value| value.trim().to_owned())
    } else if let Some(name) = &source.header_part {
        let mut parts = header_parts(signature_header, name);
        let first = parts.next().map(str::to_owned);
        // Two times in one header: which of them is signed would be a guess.
        if parts.next().is_some() { None } else { first }
    } else if let Some(pointer) = &source.body_field {
        let body: Value = serde_json::from_slice(body).map_err(|_| Refused::NoTimestamp)?;
        match body.pointer(pointer) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    } else {
        None
    };
    found.filter(|text| !text.is_empty()).ok_or(Refused::NoTimestamp)
}

/// Is the time no longer ago than the tolerance, and no further ahead than clocks differ?
pub(super) fn check(
    format: TimestampFormat,
    text: &str,
    tolerance_seconds: u32,
    now: Instant,
) -> Result<(), Refused> {
    let number = || text.parse::<i64>().map_err(|_| Refused::MalformedTimestamp);
    let sent = match format {
        TimestampFormat::Rfc3339 => text.parse().map_err(|_| Refused::MalformedTimestamp)?,
        TimestampFormat::UnixSeconds => Instant::from_seconds(number()?),
        TimestampFormat::UnixMillis => Instant::from_seconds(0).plus_millis(number()?),
    };
    let micros = |seconds: u32| i64::from(seconds) * 1_000_000;
    if now.micros_since(sent) > micros(tolerance_seconds) {
        Err(Refused::TooOld)
    } else if sent.micros_since(now) > micros(tolerance_seconds.min(limits::WEBHOOK_AHEAD_SECONDS_MAX)) {
        Err(Refused::InFuture)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_at_either_end_is_now() {
        use TimestampFormat::{Rfc3339, UnixMillis, UnixSeconds};
        let now: Instant = "2026-11-24T00:30:00Z".parse().unwrap();
        for (format, text, expected) in [
            (Rfc3339, "0000-01-01T00:00:00Z", Refused::MalformedTimestamp),
            (Rfc3339, "1969-12-31T23:59:59Z", Refused::MalformedTimestamp),
            (Rfc3339, "1970-01-01T00:00:00Z", Refused::TooOld),
            (Rfc3339, "2199-12-31T23:59:59.999999Z", Refused::InFuture),
            (Rfc3339, "2200-01-01T00:00:00Z", Refused::MalformedTimestamp),
            (Rfc3339, "9999-12-31T23:59:59Z", Refused::MalformedTimestamp),
            (Rfc3339, "+10000-01-01T00:00:00Z", Refused::MalformedTimestamp),
            (Rfc3339, "2026-11-24T00:29:60Z", Refused::MalformedTimestamp),
            (Rfc3339, "2026-11-24T00:30:00\u{2212}00:00", Refused::MalformedTimestamp),
            (Rfc3339, "2026-11-24T00:30:00.0000000000000000000000000Z", Refused::MalformedTimestamp),
            (UnixSeconds, "-9223372036854775808", Refused::TooOld),
            (UnixSeconds, "-1", Refused::TooOld),
            (UnixSeconds, "9223372036854775807", Refused::InFuture),
            (UnixSeconds, "9223372036854775808", Refused::MalformedTimestamp),
            (UnixSeconds, "1795480200.5", Refused::MalformedTimestamp),
            (UnixSeconds, "\u{2212}1", Refused::MalformedTimestamp),
            (UnixMillis, "-9223372036854775808", Refused::TooOld),
            (UnixMillis, "9223372036854775807", Refused::InFuture),
        ] {
            // However tolerant a manifest is: half a century, and the longest that can be written.
            assert_eq!(check(format, text, 50 * 31_556_952, now), Err(expected), "{text}");
        }
    }
}
