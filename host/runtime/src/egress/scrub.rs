//! Removes credentials from answers. Pure.
//!
//! Providers echo: an error page prints the request, a redirect repeats the query. The forms that occur (plain, percent
//! encoded, JSON-escaped, base64 at any position, hexadecimal) are cut out. An answer that still holds a credential in a
//! stranger form is withheld. The whole body is needed, so that no border between two pieces hides one.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use berth_model::connections::secret::Secret;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use memchr::memmem::Finder;
use zeroize::Zeroizing;

/// What stands in place of a credential.
const REMOVED: &[u8] = b"[removed]";
/// Shortest encoded form that is searched, in bytes: shorter ones occur by chance.
const ENCODED_BYTES_MIN: usize = 8;
/// Encodings inside one another that are undone in search of a credential.
const LAYERS_MAX: usize = 2;
/// Headers that never reach a component: they keep state outside the call, or describe a framing that is gone.
const DROPPED: [HeaderName; 7] = [
    header::SET_COOKIE,
    HeaderName::from_static("set-cookie2"),
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TRAILER,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// The answer holds a credential in a form that cannot be cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echoed;

/// Knows what must not come back in the answers of one call.
pub struct Scrubber {
    plain: Vec<Zeroizing<Vec<u8>>>,
    /// Longest first, so that a credential is not left behind around a part of itself.
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl Scrubber {
    /// For these credentials.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let plain: Vec<_> = secrets.iter().map(|s| Zeroizing::new(s.expose().as_bytes().to_vec())).collect();
        let mut forms: Vec<_> = secrets.iter().flat_map(|s| forms(s.expose())).collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.as_slice().cmp(b.as_slice())));
        forms.dedup();
        Self { plain, forms }
    }

    /// Drop what never reaches a component, and cut credentials out of the rest.
    pub fn headers(&self, headers: &mut HeaderMap) {
        let kept = headers.iter().filter(|(name, _)| !DROPPED.contains(name) && !self.is_in_name(name)).map(
            |(name, value)| {
                let clean = self
                    .body(value.as_bytes().to_vec())
                    .ok()
                    .and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
                    .unwrap_or_else(|| HeaderValue::from_static("[removed]"));
                (name.clone(), clean)
            },
        );
        *headers = kept.collect();
    }

    /// Cut credentials out of a whole body.
    pub fn body(&self, mut body: Vec<u8>) -> Result<Vec<u8>, Echoed> {
        for form in &self.forms {
            if let Some(clean) = replaced(&body, form) {
                body = clean;
            }
        }
        let mut layer = None;
        for _ in 0..LAYERS_MAX {
            if self.plain.is_empty() {
                break;
            }
            let Some(decoded) = decoded(layer.as_deref().unwrap_or(&body)) else { break };
            if self.plain.iter().any(|secret| Finder::new(secret.as_slice()).find(&decoded).is_some()) {
                return Err(Echoed);
            }
            layer = Some(decoded);
        }
        Ok(body)
    }

    /// Header names are in lower case whatever the server sent.
    fn is_in_name(&self, name: &HeaderName) -> bool {
        self.plain.iter().any(|secret| {
            let lower = Zeroizing::new(secret.to_ascii_lowercase());
            Finder::new(lower.as_slice()).find(name.as_str().as_bytes()).is_some()
        })
    }
}

/// The body with every occurrence of `form` replaced; none if there is none.
fn replaced(body: &[u8], form: &[u8]) -> Option<Vec<u8>> {
    let mut clean = Vec::new();
    let mut rest_at = 0;
    for at in Finder::new(form).find_iter(body) {
        clean.extend_from_slice(body.get(rest_at..at)?);
        clean.extend_from_slice(REMOVED);
        rest_at = at + form.len();
    }
    if rest_at == 0 {
        return None;
    }
    clean.extend_from_slice(body.get(rest_at..)?);
    Some(clean)
}

/// The forms of a credential that are searched for and cut out.
fn forms(secret: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut encoded: Vec<String> = Vec::new();
    for byte_text in
        [percent_encoded(secret), url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()]
    {
        encoded.push(lower_hex_digits(&byte_text));
        encoded.push(byte_text);
    }
    // A string in JSON, without its quotation marks; some writers escape the slash too.
    let json = serde_json::Value::from(secret).to_string();
    let json = json.get(1..json.len() - 1).unwrap_or_default().to_owned();
    encoded.push(json.replace('/', "\\/"));
    encoded.push(json);
    let hex: String = secret.bytes().flat_map(hex_digits).collect();
    encoded.push(hex.to_uppercase());
    encoded.push(hex);
    encoded.extend(base64_forms(secret.as_bytes()));
    encoded
        .into_iter()
        .filter(|form| form.len() >= ENCODED_BYTES_MIN)
        .chain([secret.to_owned()])
        .map(|form| Zeroizing::new(form.into_bytes()))
        .collect()
}

/// Two lower-case digits.
fn hex_digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 0xf].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'))
}

/// All but the unreserved characters of RFC 3986 as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            encoded.push(char::from(b));
        } else {
            encoded.push('%');
            encoded.extend(hex_digits(b).map(|d| d.to_ascii_uppercase()));
        }
        encoded
    })
}

/// The same with the digits after each `%` in lower case.
fn lower_hex_digits(text: &str) -> String {
    let mut after_percent = usize::MAX;
    text.chars()
        .map(|c| {
            after_percent = if c == '%' { 0 } else { after_percent.saturating_add(1) };
            if after_percent <= 2 { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

/// In base64 three bytes become four digits, so the same text looks different at each of three positions. The digits
/// that depend on nothing else, for every position and alphabet.
fn base64_forms(secret: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3 {
        let mut bytes = Zeroizing::new(vec![0; before]);
        bytes.extend_from_slice(secret);
        let own_digits = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            found.extend(text.get(own_digits.clone()).map(str::to_owned));
        }
    }
    found
}

/// The text with percent signs, backslashes and character references undone, and without NUL bytes (wide characters);
/// none if it holds none of these.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    if !text.iter().any(|b| matches!(b, b'%' | b'\\' | b'&' | 0)) {
        return None;
    }
    let special = |b: &u8| matches!(b, b'%' | b'\\' | b'&' | 0);
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((run, from_special)) = rest.iter().position(special).map(|at| rest.split_at(at)) {
        plain.extend_from_slice(run);
        let Some((&first, after)) = from_special.split_first() else { break };
        let undone = match first {
            b'%' => hex_number(after, 2).map(|(n, next)| (vec![n.to_le_bytes()[0]], next)),
            b'\\' => escape(after),
            b'&' => reference(after),
            _ => Some((Vec::new(), after)),
        };
        if let Some((bytes, next)) = undone {
            plain.extend_from_slice(&bytes);
            rest = next;
        } else {
            plain.push(first);
            rest = after;
        }
    }
    plain.extend_from_slice(rest);
    Some(plain)
}

/// What follows a backslash.
fn escape(after: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (&kind, rest) = after.split_first()?;
    match kind {
        b'u' => hex_number(rest, 4).map(|(n, next)| (utf8(n), next)),
        b'x' => hex_number(rest, 2).map(|(n, next)| (utf8(n), next)),
        b'n' | b'r' | b't' | b'b' | b'f' => None,
        other => Some((vec![other], rest)),
    }
}

/// What follows an ampersand: `#65;`, `#x41;` or one of five names.
fn reference(after: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    const LONGEST: usize = 10;
    let end = after.iter().take(LONGEST).position(|b| *b == b';')?;
    let (name, rest) = (std::str::from_utf8(after.get(..end)?).ok()?, after.get(end + 1..)?);
    let number = match name {
        "amp" => 0x26,
        "lt" => 0x3c,
        "gt" => 0x3e,
        "quot" => 0x22,
        "apos" => 0x27,
        _ => match name.strip_prefix('#')?.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => name.get(1..)?.parse().ok()?,
        },
    };
    Some((utf8(number), rest))
}

fn hex_number(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = std::str::from_utf8(number).ok().filter(|n| n.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some((u32::from_str_radix(number, 16).ok()?, rest))
}

fn utf8(number: u32) -> Vec<u8> {
    char::from_u32(number).map(|c| c.to_string().into_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
