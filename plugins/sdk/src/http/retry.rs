//! How long a provider wants to be left alone.

use super::message::Response;
use crate::{limits, time, types::Instant};

/// `Retry-After` (RFC 9110 section 10.2.3) in milliseconds, from seconds or a date; at most a day.
#[must_use]
pub fn retry_after_ms(response: &Response, now: Instant) -> Option<u64> {
    let value = response.header("retry-after")?.trim();
    let millis = if let Ok(seconds) = value.parse::<u64>() {
        seconds.saturating_mul(1_000)
    } else {
        let wait = time::parse_http_date(value)?.saturating_sub(now).max(0);
        wait.unsigned_abs().div_ceil(time::MILLISECOND.unsigned_abs())
    };
    Some(millis.min(limits::RETRY_AFTER_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(value: &str) -> Response {
        let headers = vec![("Retry-After".to_owned(), value.to_owned())];
        Response { status: 429, headers, body: Vec::new() }
    }

    #[test]
    fn seconds_dates_and_junk() {
        let now = time::parse("1994-11-06T08:49:07Z").unwrap();
        for (value, expected) in [
            ("7", Some(7_000)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999999999999", None),
            ("9999999", Some(limits::RETRY_AFTER_MS_MAX)),
            ("soon", None),
        ] {
            assert_eq!(retry_after_ms(&answer(value), now), expected, "{value}");
        }
    }
}
