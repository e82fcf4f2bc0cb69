//! Bytes as text, and the wrapping of public keys.

use std::fmt::Write as _;

/// Lower-case hex digits.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of hex digits of either case; none if the text is anything else, or empty.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// DER of the `SubjectPublicKeyInfo` of an Ed25519 key, up to the key itself (RFC 8410 section 4).
const ED25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The 32 bytes of an Ed25519 key that is given bare or wrapped.
pub(super) fn ed25519_key(given: &[u8]) -> Option<Vec<u8>> {
    let bare = given.strip_prefix(ED25519_SPKI).unwrap_or(given);
    (bare.len() == 32).then(|| bare.to_vec())
}

/// DER of the algorithm of an RSA key (`rsaEncryption`, NULL; RFC 8017 appendix A.1).
const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The PKCS#1 `RSAPublicKey` of a key that is given so, or wrapped in a `SubjectPublicKeyInfo`.
pub(super) fn rsa_key(given: &[u8]) -> Option<Vec<u8>> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    let (inside, []) = der_value(given, SEQUENCE)? else { return None };
    let Some(after_algorithm) = inside.strip_prefix(RSA_ALGORITHM) else {
        return Some(given.to_vec());
    };
    let (bits, []) = der_value(after_algorithm, BIT_STRING)? else { return None };
    // The first byte counts unused bits.
    bits.strip_prefix(&[0]).map(<[u8]>::to_vec)
}

/// The contents of the DER value that `der` begins with, and what follows it (X.690 section 8.1).
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        // Two bytes reach 64 KiB, more than any manifest holds.
        if digits.is_empty() || digits.len() > 2 {
            return None;
        }
        (digits.iter().fold(0, |length, d| length << 8 | usize::from(*d)), rest)
    };
    rest.split_at_checked(length)
}
