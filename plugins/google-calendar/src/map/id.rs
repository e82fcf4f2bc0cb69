//! Ids that the plugin chooses, derived from idempotency keys.

use berth_sdk::{time::SECOND, types::Instant};

/// The digits of base32hex (RFC 4648 section 7) in lower case: what ids of events are written with.
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
/// Before every id of an event: recognisable, and long enough with the shortest key.
const PREFIX: &str = "berth";
/// Longest id of a channel, in characters.
const CHANNEL_ID_CHARS_MAX: usize = 64;

/// The id of the event that is made with this key: the key itself in base32hex, so that different keys have different ids. 64 bytes
/// of key make 108 characters; Google takes 1024.
pub(crate) fn event_id(key: &str) -> String {
    let mut id = PREFIX.to_owned();
    for five in key.as_bytes().chunks(5) {
        let bits =
            five.iter().chain(std::iter::repeat(&0)).take(5).fold(0_u64, |n, b| n << 8 | u64::from(*b));
        let digits = (five.len() * 8).div_ceil(5);
        for place in 0..digits {
            let digit = usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or(0);
            id.push(DIGITS.get(digit).map_or('0', |d| char::from(*d)));
        }
    }
    id
}

/// The id of a channel: the key, and for one that follows another the time in seconds. `_` stands in no key, so that the time of the
/// one before is recognised and left out.
pub(crate) fn channel_id(key: &str, now: Option<Instant>) -> String {
    let base = key.split('_').next().unwrap_or(key);
    let Some(now) = now else { return base.chars().take(CHANNEL_ID_CHARS_MAX).collect() };
    let suffix = format!("_{}", now / SECOND);
    let base: String = base.chars().take(CHANNEL_ID_CHARS_MAX.saturating_sub(suffix.len())).collect();
    base + &suffix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32hex_of_the_rfc() {
        // RFC 4648 section 10, without padding and in lower case.
        for (text, expected) in [
            ("", ""),
            ("f", "co"),
            ("fo", "cpng"),
            ("foo", "cpnmu"),
            ("foob", "cpnmuog"),
            ("fooba", "cpnmuoj1"),
            ("foobar", "cpnmuoj1e8"),
        ] {
            assert_eq!(event_id(text), format!("berth{expected}"), "{text}");
        }
    }

    #[test]
    fn ids_of_events_have_the_digits_that_google_takes() {
        let id = event_id("0193b3f0-0000-7000-8000-000000000000-create");
        assert!(id.bytes().all(|b| DIGITS.contains(&b)), "{id}");
        assert_eq!(event_id(&"x".repeat(64)).len(), 108);
    }

    #[test]
    fn ids_of_channels_keep_their_length_and_lose_the_old_time() {
        let key = "0193b3f0-0000-7000-8000-000000000000-subscribe";
        assert_eq!(channel_id(key, None), key);
        let second = channel_id(key, Some(1_767_603_600 * SECOND));
        assert_eq!(second, format!("{key}_1767603600"));
        assert_eq!(channel_id(&second, Some(1_767_603_601 * SECOND)), format!("{key}_1767603601"));
        assert_eq!(channel_id(&"x".repeat(80), None).len(), 64);
        assert_eq!(channel_id(&"x".repeat(80), Some(1_767_603_600 * SECOND)).len(), 64);
    }
}
