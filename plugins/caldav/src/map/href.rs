//! Addresses: references of answers resolved (RFC 3986), and paths in one spelling, so that equal addresses are equal texts.

use std::fmt::Write as _;

/// The scheme and authority of a URL, without a slash: `https://dav.example.com`.
pub(crate) fn origin(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(after..).unwrap_or_default();
    let end = rest.find(['/', '?', '#']).map_or(url.len(), |at| after + at);
    url.get(..end).unwrap_or(url)
}

/// The path of a URL, `/` if there is none.
pub(crate) fn path(url: &str) -> &str {
    let rest = url.get(origin(url).len()..).unwrap_or_default();
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() { "/" } else { path }
}

/// Where a reference leads that was read at `base`: a URL in one spelling, without query and fragment.
pub(crate) fn resolve(base: &str, reference: &str) -> String {
    let reference = reference.trim();
    let own = origin(base);
    if reference.starts_with("http://") || reference.starts_with("https://") {
        let (scheme, authority) = origin(reference).split_once("://").unwrap_or_default();
        let own_port = if scheme == "http" { ":80" } else { ":443" };
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(own_port).unwrap_or(&authority);
        return format!("{scheme}://{authority}{}", spelt(path(reference)));
    }
    if let Some(rest) = reference.strip_prefix("//") {
        let scheme = own.split("://").next().unwrap_or_default();
        return resolve(base, &format!("{scheme}://{rest}"));
    }
    let reference = reference.split(['?', '#']).next().unwrap_or_default();
    if reference.starts_with('/') {
        return format!("{own}{}", spelt(reference));
    }
    let folder = path(base).rfind('/').and_then(|at| path(base).get(..=at)).unwrap_or("/");
    format!("{own}{}", spelt(&format!("{folder}{reference}")))
}

/// The URL of a collection, which ends with a slash (RFC 4918 section 5.2).
pub(crate) fn folder(url: &str) -> String {
    format!("{}/", url.trim_end_matches('/'))
}

/// A path with exactly those characters percent-encoded that a segment may not hold (RFC 3986 section 3.3).
fn spelt(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let decoded = if byte == b'%' { hex(ahead.next()).zip(hex(ahead.next())) } else { None };
        match decoded.map(|(high, low)| high * 16 + low) {
            Some(decoded) => {
                bytes = ahead;
                push(&mut out, decoded, decoded != b'/' && is_plain(decoded));
            }
            None => push(&mut out, byte, byte == b'/' || is_plain(byte)),
        }
    }
    out
}

fn push(out: &mut String, byte: u8, plain: bool) {
    if plain {
        out.push(char::from(byte));
    } else {
        // Writing to a String cannot fail.
        let _ = write!(out, "%{byte:02X}");
    }
}

fn hex(digit: Option<u8>) -> Option<u8> {
    let value = char::from(digit?).to_digit(16)?;
    u8::try_from(value).ok()
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
        )
}

/// The last segment of a path as people read it: `Work` of `/eve/Work/`.
pub(crate) fn name(path: &str) -> String {
    let segment = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let found = if byte == b'%' { hex(ahead.next()).zip(hex(ahead.next())) } else { None };
        if let Some((high, low)) = found {
            bytes = ahead;
            decoded.push(high * 16 + low);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_somewhere() {
        let base = "https://dav.example.com/dav/eve/";
        for (reference, expected) in [
            ("/eve/work/", "https://dav.example.com/eve/work/"),
            ("work/a.ics", "https://dav.example.com/dav/eve/work/a.ics"),
            ("https://P42.example.com:443/x?y#z", "https://p42.example.com/x"),
            ("http://p42.example.com:80", "http://p42.example.com/"),
            ("https://p42.example.com:8443/x", "https://p42.example.com:8443/x"),
            ("//other.example.com/x", "https://other.example.com/x"),
            (" /eve%40example.com/W%c3%b6rk%2f/ ", "https://dav.example.com/eve@example.com/W%C3%B6rk%2F/"),
            ("/eve@example.com/Wörk a/", "https://dav.example.com/eve@example.com/W%C3%B6rk%20a/"),
            ("/100%/%zz", "https://dav.example.com/100%25/%25zz"),
        ] {
            assert_eq!(resolve(base, reference), expected, "{reference}");
            assert_eq!(resolve(base, expected), expected, "one spelling");
        }
        assert_eq!(resolve("https://dav.example.com", "x"), "https://dav.example.com/x");
    }

    #[test]
    fn parts_of_an_address() {
        assert_eq!(origin("https://dav.example.com/a?b"), "https://dav.example.com");
        assert_eq!(path("https://dav.example.com"), "/");
        assert_eq!(path("https://dav.example.com/a/?b"), "/a/");
        assert_eq!(name("/eve/W%C3%B6rk%20a/"), "Wörk a");
        assert_eq!(name("/"), "");
        assert_eq!(folder("https://dav.example.com/a"), "https://dav.example.com/a/");
    }
}
