//! Percent-encoding.

use std::fmt::Write as _;

/// Encode one value of a path or a query: all but the unreserved characters of RFC 3986 section 2.3.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Append `name=value` to a URL.
pub(super) fn push(url: &mut String, name: &str, value: &str) {
    url.push(if url.contains('?') { '&' } else { '?' });
    url.push_str(&encode(name));
    url.push('=');
    url.push_str(&encode(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_and_foreign_characters_are_encoded() {
        assert_eq!(encode("Europe/Warsaw+1 é&=~"), "Europe%2FWarsaw%2B1%20%C3%A9%26%3D~");
    }

    #[test]
    fn the_first_parameter_gets_a_question_mark() {
        let mut url = "/v2/slots".to_owned();
        push(&mut url, "a", "1");
        push(&mut url, "b[0]", "x y");
        assert_eq!(url, "/v2/slots?a=1&b%5B0%5D=x%20y");
    }
}
