//! Handshakes: the challenge of a message, repeated as the manifest says.

use std::borrow::Cow;

use ring::hmac;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Refused;
use crate::{
    connections::secret::Credentials,
    limits,
    outbound::provider::WebhookReply,
    plugins::manifest::{HandshakeField, WebhookSpec},
};

/// The answer to a handshake; none if the message is none. It needs no signature: it says nothing that its sender did not say, as
/// plain text or JSON, so that a browser that was sent here runs nothing.
#[must_use]
pub fn handshake(
    spec: &WebhookSpec,
    credentials: &Credentials,
    query: &str,
    body: &[u8],
) -> Option<Result<WebhookReply, Refused>> {
    let handshake = spec.handshake.as_ref()?;
    let message = Message { query, body: serde_json::from_slice(body).ok() };
    if handshake.when.as_ref().is_some_and(|when| message.at(&when.field).as_deref() != Some(&when.equals)) {
        return None;
    }
    let challenge = message.at(&handshake.challenge)?;
    if challenge.is_empty()
        || challenge.len() > limits::WEBHOOK_CHALLENGE_BYTES_MAX
        || challenge.chars().any(char::is_control)
    {
        return Some(Err(Refused::MalformedChallenge));
    }
    if let Some(place) = &handshake.secret {
        let name = spec.secret.as_deref().unwrap_or_default();
        let given = message.at(place).unwrap_or_default();
        if let Err(refused) = is_secret(credentials, name, given.as_bytes()) {
            return Some(Err(refused));
        }
    }
    Some(Ok(match &handshake.reply_field {
        Some(field) => WebhookReply {
            status: 200,
            content_type: "application/json".to_owned(),
            body: json!({ field.as_str(): challenge }).to_string().into_bytes(),
        },
        None => WebhookReply {
            status: 200,
            content_type: "text/plain".to_owned(),
            body: challenge.into_owned().into_bytes(),
        },
    }))
}

struct Message<'a> {
    query: &'a str,
    body: Option<Value>,
}

impl Message<'_> {
    /// The text at a place. A query parameter that is there twice is at none: two readers may pick different ones.
    fn at(&self, field: &HandshakeField) -> Option<Cow<'_, str>> {
        if let Some(name) = &field.query {
            let mut found = form_urlencoded::parse(self.query.as_bytes()).filter(|(n, _)| n == name);
            let (_, value) = found.next()?;
            return if found.next().is_none() { Some(value) } else { None };
        }
        self.body.as_ref()?.pointer(field.body_field.as_deref()?)?.as_str().map(Cow::Borrowed)
    }
}

/// Compared by keyed hashes, which takes the same time whatever the secret is.
pub(super) fn is_secret(credentials: &Credentials, name: &str, given: &[u8]) -> Result<(), Refused> {
    let secret = credentials.get(name).map(|s| s.expose().as_bytes()).filter(|s| !s.is_empty());
    let secret = secret.ok_or_else(|| Refused::NoSecret(name.to_owned()))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, secret);
    hmac::verify(&key, given, tag.as_ref()).map_err(|_| Refused::Mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::secret::Secret;

    fn ask(handshake: &str, query: &str, body: &str) -> Option<Result<(String, String), Refused>> {
        let spec = format!(
            "scheme = \"hmac-sha256\"\nheader = \"x-signature\"\nsecret = \"webhook-secret\"\n[handshake]\n{handshake}"
        );
        let spec: WebhookSpec = toml::from_str(&spec).unwrap();
        let credentials =
            Credentials::from([("webhook-secret".to_owned(), Secret::new("made-up-secret".to_owned()))]);
        let reply = super::handshake(&spec, &credentials, query, body.as_bytes())?;
        Some(reply.map(|r| (r.content_type, String::from_utf8(r.body).unwrap())))
    }

    fn plain(text: &str) -> (String, String) {
        ("text/plain".to_owned(), text.to_owned())
    }

    #[test]
    fn a_challenge_with_a_secret_in_the_query() {
        let spec = "challenge = { query = \"hub.challenge\" }\nsecret = { query = \"hub.verify_token\" }
            when = { field = { query = \"hub.mode\" }, equals = \"subscribe\" }";
        let good = "hub.mode=subscribe&hub.challenge=115&hub.verify_token=made-up-secret";
        assert_eq!(ask(spec, good, ""), Some(Ok(plain("115"))));
        for other in ["wrong", "", "made-up-secret2"] {
            let query = format!("hub.mode=subscribe&hub.challenge=115&hub.verify_token={other}");
            assert_eq!(ask(spec, &query, ""), Some(Err(Refused::Mismatch)), "{other}");
        }
        assert_eq!(ask(spec, "hub.mode=subscribe&hub.challenge=115", ""), Some(Err(Refused::Mismatch)));
        assert_eq!(ask(spec, "hub.mode=other&hub.challenge=115", ""), None);
        assert_eq!(ask(spec, "", r#"{"id":1}"#), None, "an ordinary message");
        assert_eq!(ask(spec, &format!("{good}&hub.challenge=2"), ""), None, "two challenges");
    }

    #[test]
    fn a_validation_token_is_decoded_and_repeated() {
        let spec = "challenge = { query = \"validationToken\" }";
        assert_eq!(
            ask(spec, "validationToken=Validation%3A+a%2Bb%20c", ""),
            Some(Ok(plain("Validation: a+b c")))
        );
        let long = "x".repeat(limits::WEBHOOK_CHALLENGE_BYTES_MAX + 1);
        for bad in ["", "%00", "a%0d%0ab", long.as_str()] {
            let asked = ask(spec, &format!("validationToken={bad}"), "");
            assert_eq!(asked, Some(Err(Refused::MalformedChallenge)), "{bad}");
        }
    }

    #[test]
    fn a_body_that_says_that_it_is_one() {
        let spec = "challenge = { body-field = \"/challenge\" }\nreply-field = \"challenge\"
            when = { field = { body-field = \"/type\" }, equals = \"url_verification\" }";
        let body = r#"{"type":"url_verification","challenge":"<b>3e\"Z"}"#;
        let reply = r#"{"challenge":"<b>3e\"Z"}"#;
        assert_eq!(ask(spec, "", body), Some(Ok(("application/json".to_owned(), reply.to_owned()))));
        for other in
            [r#"{"type":"event","challenge":"c"}"#, r#"{"type":"url_verification","challenge":1}"#, "{", ""]
        {
            assert_eq!(ask(spec, "", other), None, "{other}");
        }
    }
}
