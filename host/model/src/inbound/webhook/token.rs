//! A shared token that is repeated in the body: in one place, or in every item of a list.

use serde_json::Value;

use super::{Refused, handshake::is_secret};
use crate::{connections::secret::Credentials, limits};

/// What stands in place of a token.
pub(super) const BLANK: &str = "…";

/// Is every token of the body the secret? One that is missing or wrong refuses the whole message, whatever the others are: the
/// component reads all items alike.
pub(super) fn verify(
    place: &str,
    secret: &str,
    credentials: &Credentials,
    body: &[u8],
) -> Result<(), Refused> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Refused::NoToken)?;
    for token in tokens(place, &body)? {
        let token = token.as_str().ok_or(Refused::NoToken)?;
        is_secret(credentials, secret, token.as_bytes())?;
    }
    Ok(())
}

/// The body with every token blanked, so that what is kept and shown proves nothing to anybody. It was verified: there is no
/// other body.
pub(super) fn blanked(place: &str, body: Vec<u8>) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else { return body };
    let segments: Vec<&str> = place.split('/').skip(1).collect();
    blank(&mut value, &segments);
    serde_json::to_vec(&value).unwrap_or(body)
}

/// As deep as there are segments.
fn blank(value: &mut Value, segments: &[&str]) {
    match (segments, value) {
        ([], found) => *found = Value::String(BLANK.to_owned()),
        (["*", rest @ ..], Value::Array(items)) => items.iter_mut().for_each(|item| blank(item, rest)),
        ([segment, rest @ ..], value) => {
            if let Some(inside) = value.pointer_mut(&format!("/{segment}")) {
                blank(inside, rest);
            }
        }
    }
}

/// What stands at the place, at least one.
fn tokens<'a>(place: &str, body: &'a Value) -> Result<Vec<&'a Value>, Refused> {
    let mut found = vec![body];
    for segment in place.split('/').skip(1) {
        let mut inside = Vec::with_capacity(found.len());
        for value in found {
            match (segment, value) {
                ("*", Value::Array(items)) => inside.extend(items),
                _ => inside.push(value.pointer(&format!("/{segment}")).ok_or(Refused::NoToken)?),
            }
            if inside.len() > limits::WEBHOOK_TOKENS_MAX {
                return Err(Refused::TooManyTokens);
            }
        }
        found = inside;
    }
    if found.is_empty() { Err(Refused::NoToken) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::secret::Secret;

    fn check(place: &str, body: &str) -> Result<(), Refused> {
        let secret = Secret::new("made-up-secret".to_owned());
        let credentials = Credentials::from([("webhook-secret".to_owned(), secret)]);
        verify(place, "webhook-secret", &credentials, body.as_bytes())
    }

    #[test]
    fn every_item_repeats_it() {
        let items = |states: &[&str]| {
            let items: Vec<String> = states.iter().map(|s| format!(r#"{{"clientState":{s}}}"#)).collect();
            format!(r#"{{"value":[{}]}}"#, items.join(","))
        };
        let (good, wrong) = (r#""made-up-secret""#, r#""made-up-secre""#);
        for (states, expected) in [
            (&[good][..], Ok(())),
            (&[good, good], Ok(())),
            (&[good, wrong], Err(Refused::Mismatch)),
            (&[wrong, good], Err(Refused::Mismatch)),
            (&[good, "\"\""], Err(Refused::Mismatch)),
            (&[good, "null"], Err(Refused::NoToken)),
            (&[], Err(Refused::NoToken)),
        ] {
            assert_eq!(check("/value/*/clientState", &items(states)), expected, "{states:?}");
        }
        let many = items(&vec![good; limits::WEBHOOK_TOKENS_MAX + 1]);
        assert_eq!(check("/value/*/clientState", &many), Err(Refused::TooManyTokens));
    }

    #[test]
    fn what_is_kept_holds_no_token() {
        let kept = |place: &str, body: &str| String::from_utf8(blanked(place, body.into())).unwrap();
        let body =
            r#"{"value":[{"clientState":"made-up-secret","id":1},{"clientState":"made-up-secret","id":2}]}"#;
        let blank = r#"{"value":[{"clientState":"…","id":1},{"clientState":"…","id":2}]}"#;
        assert_eq!(kept("/value/*/clientState", body), blank);
        assert_eq!(kept("/token", r#"{"token":"made-up-secret"}"#), r#"{"token":"…"}"#);
        assert_eq!(kept("/other/*", body), body);
        assert_eq!(kept("/token", "no JSON"), "no JSON");
    }

    #[test]
    fn what_is_elsewhere_or_nowhere_is_refused() {
        for body in [
            "",
            "no JSON",
            "null",
            "[]",
            "{}",
            r#"{"value":{}}"#,
            r#"{"value":[{}]}"#,
            r#"{"value":[{"clientState":"made-up-secret"},{}]}"#,
            r#"{"clientState":"made-up-secret"}"#,
        ] {
            assert_eq!(check("/value/*/clientState", body), Err(Refused::NoToken), "{body}");
        }
        assert_eq!(check("/a~1b", r#"{"a/b":"made-up-secret"}"#), Ok(()));
        let nobody = verify("/t", "webhook-secret", &Credentials::new(), br#"{"t":""}"#);
        assert_eq!(nobody, Err(Refused::NoSecret("webhook-secret".to_owned())));
    }
}
