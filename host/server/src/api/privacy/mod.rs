//! What people agreed to.

pub(crate) mod consents;
pub(crate) mod texts;

use std::fmt::Write as _;

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
