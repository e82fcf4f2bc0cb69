//! The wrapping of public keys.

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
