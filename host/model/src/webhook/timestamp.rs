//! When a webhook says it was sent.

use serde_json::Value;

use super::{Refused, header_parts, single_header};
use crate::{
    manifest::{TimestampFormat, TimestampSource},
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

/// Is the time no further from now than the tolerance, on either side?
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
    let tolerance_micros = i64::from(tolerance_seconds) * 1_000_000;
    if now.micros_since(sent) > tolerance_micros {
        Err(Refused::TooOld)
    } else if sent.micros_since(now) > tolerance_micros {
        Err(Refused::InFuture)
    } else {
        Ok(())
    }
}
