use super::*;
use crate::connections::secret::Secret;

const BODY: &[u8] = br#"{"id":1}"#;
/// 2026-01-05T10:00:00Z
const SENT: i64 = 1_767_607_200;
/// Made with `openssl genrsa 2048`, whose private half is gone.
const RSA_SPKI: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0RVB0v9pxCs1jlipyfFJWJTz+6yvAL6aHx9v36/vGIqeeOlJ+DAV/x9VoC5eViovVwOfAyRt6k2FWqKYiEixsjPVU7E9gu119243MB5gQoRMmJHL2rSYUzi65oQ1L7GsEyHabqM/Ge85QlmE4ToizXgYhh29u8UaNFC4ly7fi29+hfTrZv0bDP0eunMN5q3CFLS1mAmNaSWKSiyHEe3u8+G9w6bhhwQzWF0jm1eYTqBo+l2sOrCBX6pA7ZM20v6t5uKyvBQe8lGTgflQbzGDntjVE/eOQzK8wcEgYA3y/jTIp5AvTIMQ96g2CX/zRZBJ9F7lemzGuhzB4SAwVT1nvQIDAQAB";
const RSA_PKCS1: &str = "MIIBCgKCAQEA0RVB0v9pxCs1jlipyfFJWJTz+6yvAL6aHx9v36/vGIqeeOlJ+DAV/x9VoC5eViovVwOfAyRt6k2FWqKYiEixsjPVU7E9gu119243MB5gQoRMmJHL2rSYUzi65oQ1L7GsEyHabqM/Ge85QlmE4ToizXgYhh29u8UaNFC4ly7fi29+hfTrZv0bDP0eunMN5q3CFLS1mAmNaSWKSiyHEe3u8+G9w6bhhwQzWF0jm1eYTqBo+l2sOrCBX6pA7ZM20v6t5uKyvBQe8lGTgflQbzGDntjVE/eOQzK8wcEgYA3y/jTIp5AvTIMQ96g2CX/zRZBJ9F7lemzGuhzB4SAwVT1nvQIDAQAB";
const RSA_SIGNATURE: &str = "cjc/lVuDfpmrEN+JtBHxj6azgzQDzqbFpjXPV0panIFhhsTt34JfxjiFw37gECTlhQxjMU6KKB4Qnj732KXWkwr1pRQ1Ca9lUgEZtTYpq+iUnDqDSTTU6mVkpeOUF6YyGwZkkbZabj/WAWvkmvjzn4pLs3heNXNT9rukHeGM1KsvUl9zccs9iRnOLim00HdVgL7XXkH16XP4oCx7a3XKUIxjwGqISlWkrR9WzXA7fmXtLoMkCbodV9kWS1dK0sxNhFDDnQo6pjqL8SCT1EKDgE3aMAcTkNloV+Cd9qzfsYHaUUleU7fyNuVeuUOsvRjfCvjuhNdngylE20vPHCWAdA==";
/// Made with `openssl genpkey -algorithm ed25519`, whose private half is gone.
const ED25519_SPKI: &str = "MCowBQYDK2VwAyEA4SQ6EtAx5LFdhbqXA6sRjjBFloMPXfpjpKeOSgd7GbU=";
const ED25519_RAW: &str = "4SQ6EtAx5LFdhbqXA6sRjjBFloMPXfpjpKeOSgd7GbU=";
const ED25519_SIGNATURE: &str =
    "dngnzWRAzhgV9OGfalDqgIdoKOoYeV/kzs/fqk+WtlArLX6C33D7YMRD6WhBPGCk+GKm7r4Mk8RsiNWsNzgeCQ==";

fn spec(toml_text: &str) -> WebhookSpec {
    toml::from_str(toml_text).unwrap()
}
fn credentials(value: &str) -> Credentials {
    [("webhook-secret".to_owned(), Secret::new(value.to_owned()))].into()
}
fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}
/// Check with the secret `made-up-secret`, as if it were so many seconds after [`SENT`].
fn check(spec: &WebhookSpec, pairs: &[(&str, &str)], body: &[u8], after_seconds: i64) -> Result<(), Refused> {
    let now = Instant::from_seconds(SENT + after_seconds);
    verify(spec, &credentials("made-up-secret"), &headers(pairs), body, now)
}

const HMAC: &str = r#"
scheme = "hmac-sha256"
header = "x-signature"
secret = "webhook-secret"
"#;
const HMAC_BASE64_OF_BODY: &str = "ZX1qWBzmQa4W7Y6LEgTmR57z+xbeKNhJa7LCzpnEeBg=";
const HMAC_OF_TIME_AND_BODY: &str = "f0420d588add4821e57f9fa1a7a53db28924d13a3e64fa4965ca06aa25a5c839";

#[test]
fn hmac_of_a_published_vector() {
    let body =
        br#"{"triggerEvent":"BOOKING_CREATED","createdAt":"2026-01-05T10:00:00.000Z","payload":{"uid":"bk_1"}}"#;
    let right = "f8eb9987a6df7080e61f311f0a1f8db430512462a53ddcd8a934fdb05b3f0ec9";
    let check = |value: &str, secret: &str, body: &[u8]| {
        let given = headers(&[("X-Signature", value)]);
        verify(&spec(HMAC), &credentials(secret), &given, body, Instant::from_seconds(SENT))
    };
    assert_eq!(check(right, "cal-secret", body), Ok(()));
    assert_eq!(check(&right.to_uppercase(), "cal-secret", body), Ok(()));
    assert_eq!(check(right, "another-secret", body), Err(Refused::Mismatch));
    assert_eq!(check(right, "cal-secret", &body[1..]), Err(Refused::Mismatch));
    assert_eq!(check(&right[2..], "cal-secret", body), Err(Refused::Mismatch));
    assert_eq!(check(right, "", body), Err(Refused::NoSecret("webhook-secret".to_owned())));
}

#[test]
fn what_is_no_signature_is_refused() {
    let spec = spec(HMAC);
    let name = || "x-signature".to_owned();
    assert_eq!(check(&spec, &[], BODY, 0), Err(Refused::MissingHeader(name())));
    assert_eq!(check(&spec, &[("x-signature", " ")], BODY, 0), Err(Refused::NoSignature(name())));
    for text in ["no-secret-provided", "no signature", "none", "zz", "abc"] {
        assert_eq!(
            check(&spec, &[("x-signature", text)], BODY, 0),
            Err(Refused::MalformedSignature),
            "{text}"
        );
    }
    assert_eq!(
        check(&spec, &[("x-signature", "00"), ("X-Signature", "11")], BODY, 0),
        Err(Refused::RepeatedHeader(name()))
    );
}

#[test]
fn hmac_in_base64_behind_a_prefix() {
    let spec = spec(&format!("{HMAC}\nencoding = \"base64\"\nprefix = \"sha256=\""));
    let given = format!("sha256={HMAC_BASE64_OF_BODY}");
    assert_eq!(check(&spec, &[("x-signature", &given)], BODY, 0), Ok(()));
    let bare = check(&spec, &[("x-signature", HMAC_BASE64_OF_BODY)], BODY, 0);
    assert_eq!(bare, Err(Refused::NoSignature("x-signature".to_owned())));
}

#[test]
fn parts_of_a_header_with_time_and_tolerance() {
    let spec = spec(&format!(
        r#"{HMAC}
header-part = "v1"
input = "{{timestamp}}.{{body}}"
timestamp = {{ header-part = "t", format = "unix-seconds" }}
tolerance-seconds = 180
"#
    ));
    let good = format!("t={SENT},v1={HMAC_OF_TIME_AND_BODY}");
    let at = |header: &str, after| check(&spec, &[("x-signature", header)], BODY, after);
    for (after, expected) in [
        (0, Ok(())),
        (180, Ok(())),
        (181, Err(Refused::TooOld)),
        (-180, Ok(())),
        (-181, Err(Refused::InFuture)),
    ] {
        assert_eq!(at(&good, after), expected, "{after}");
    }
    // While a secret is rotated two signatures come; one of them is right.
    assert_eq!(at(&format!("t={SENT}, v1=00, v1={HMAC_OF_TIME_AND_BODY}"), 0), Ok(()));
    assert_eq!(at(&format!("t={SENT},v1=00,v1=11"), 0), Err(Refused::Mismatch));
    // A later time with the old signature.
    assert_eq!(at(&format!("t={},v1={HMAC_OF_TIME_AND_BODY}", SENT + 1), 0), Err(Refused::Mismatch));
    assert_eq!(at(&format!("t={SENT},t=1,v1={HMAC_OF_TIME_AND_BODY}"), 0), Err(Refused::NoTimestamp));
    assert_eq!(at(&format!("v1={HMAC_OF_TIME_AND_BODY}"), 0), Err(Refused::NoTimestamp));
    assert_eq!(at(&format!("t={SENT}"), 0), Err(Refused::NoSignature("x-signature".to_owned())));
    let flood = format!("t={SENT}{}", ",v1=00".repeat(9));
    assert_eq!(at(&flood, 0), Err(Refused::TooManySignatures("x-signature".to_owned())));
}

#[test]
fn time_in_the_body_or_a_header() {
    use ring::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"made-up-secret");
    for (format, value) in [
        ("rfc3339", "\"2026-01-05T11:00:00+01:00\""),
        ("unix-seconds", "1767607200"),
        ("unix-millis", "\"1767607200000\""),
    ] {
        let body = format!(r#"{{"at":{value}}}"#);
        let signature = crate::hex::to_hex(hmac::sign(&key, body.as_bytes()).as_ref());
        let spec = spec(&format!(
            "{HMAC}\ntolerance-seconds = 60\ntimestamp = {{ body-field = \"/at\", format = \"{format}\" }}"
        ));
        let at = |after| check(&spec, &[("x-signature", &signature)], body.as_bytes(), after);
        assert_eq!(
            (at(60), at(61), at(-61)),
            (Ok(()), Err(Refused::TooOld), Err(Refused::InFuture)),
            "{format}"
        );
    }
    let spec = spec(&format!("{HMAC}\ntolerance-seconds = 60\ntimestamp = {{ header = \"x-time\" }}"));
    let signature = crate::hex::to_hex(hmac::sign(&key, BODY).as_ref());
    let with = |time: &str| check(&spec, &[("x-signature", &signature), ("X-Time", time)], BODY, 0);
    assert_eq!(with("2026-01-05T10:00:00Z"), Ok(()));
    assert_eq!(with("yesterday"), Err(Refused::MalformedTimestamp));
    assert_eq!(check(&spec, &[("x-signature", &signature)], BODY, 0), Err(Refused::NoTimestamp));
}

#[test]
fn a_body_cannot_bring_a_placeholder() {
    assert_eq!(signed_bytes("{timestamp}.{body}|{x}", "7", b"{timestamp}"), b"7.{timestamp}|{x}");
}

#[test]
fn public_keys_bare_and_wrapped() {
    for (scheme, key, signature) in [
        ("rsa-sha256", RSA_SPKI, RSA_SIGNATURE),
        ("rsa-sha256", RSA_PKCS1, RSA_SIGNATURE),
        ("ed25519", ED25519_SPKI, ED25519_SIGNATURE),
        ("ed25519", ED25519_RAW, ED25519_SIGNATURE),
    ] {
        let spec = spec(&format!(
            "scheme = \"{scheme}\"\nheader = \"x-signature\"\nencoding = \"base64\"\npublic-key = \"{key}\""
        ));
        assert_eq!(check(&spec, &[("x-signature", signature)], BODY, 0), Ok(()), "{scheme}");
        assert_eq!(check(&spec, &[("x-signature", signature)], b"{}", 0), Err(Refused::Mismatch), "{scheme}");
        let broken = WebhookSpec { public_key: Some("AAAA".to_owned()), ..spec };
        assert_eq!(
            check(&broken, &[("x-signature", signature)], BODY, 0),
            Err(Refused::BadPublicKey),
            "{scheme}"
        );
    }
}

#[test]
fn shared_tokens() {
    let spec = spec("scheme = \"shared-token\"\nheader = \"x-token\"\nsecret = \"webhook-secret\"");
    assert_eq!(check(&spec, &[("x-token", "made-up-secret")], BODY, 0), Ok(()));
    for wrong in ["made-up-secre", "made-up-secret2", "MADE-UP-SECRET"] {
        assert_eq!(check(&spec, &[("x-token", wrong)], BODY, 0), Err(Refused::Mismatch), "{wrong}");
    }
    assert!(check(&spec, &[("x-token", "")], BODY, 0).is_err());
}

#[test]
fn headers_that_are_kept_hold_no_token() {
    let token = "scheme = \"shared-token\"\nheader = \"x-token\"\nsecret = \"webhook-secret\"";
    let given = headers(&[("X-Token", "made-up-secret"), ("x-number", "7")]);
    let blank = headers(&[("X-Token", "…"), ("x-number", "7")]);
    assert_eq!(kept_headers(&spec(token), given.clone()), blank);
    let legacy = format!("{HMAC}[legacy]\nallowed-by-setting = \"legacy\"\n{token}");
    let signed = headers(&[("x-signature", "00")]);
    assert_eq!(kept_headers(&spec(&legacy), [given, signed.clone()].concat()), [blank, signed].concat());
}

#[test]
fn the_same_bytes_have_the_same_name() {
    assert_eq!(dedup_key(BODY), "037c9214eef74cc3887f3a4f085b4e17d76280dafd273b0ee160c09c4ba1cfd4");
    assert_ne!(dedup_key(BODY), dedup_key(b"{\"id\":2}"));
}

/// A rule with an older signature, as it is under these settings.
fn with_legacy(settings: &serde_json::Value) -> WebhookSpec {
    let rule = format!(
        r#"
scheme = "ed25519"
header = "x-signature"
encoding = "base64"
public-key = "{ED25519_SPKI}"
public-key-setting = "key"
[legacy]
allowed-by-setting = "legacy"
scheme = "rsa-sha256"
header = "x-old-signature"
encoding = "base64"
public-key = "{RSA_SPKI}"
public-key-setting = "old_key"
"#
    );
    spec(&rule).under(settings)
}

#[test]
fn a_legacy_signature_counts_only_where_it_is_allowed_and_alone() {
    use serde_json::json;
    let (new, old) = (("x-signature", ED25519_SIGNATURE), ("X-Old-Signature", RSA_SIGNATURE));
    let allowed = with_legacy(&json!({ "legacy": true }));
    assert_eq!(check(&allowed, &[new], BODY, 0), Ok(()));
    assert_eq!(check(&allowed, &[old], BODY, 0), Ok(()));
    assert_eq!(check(&allowed, &[new, old], BODY, 0), Ok(()));
    assert_eq!(check(&allowed, &[old], b"{}", 0), Err(Refused::Mismatch));
    // A placeholder in the new header is no licence for the old one.
    for placeholder in ["N/A", "", "AAAA"] {
        assert!(check(&allowed, &[("x-signature", placeholder), old], BODY, 0).is_err(), "{placeholder}");
    }
    let missing = Err(Refused::MissingHeader("x-signature".to_owned()));
    for settings in [json!({}), json!({ "legacy": false }), json!({ "legacy": "true" })] {
        let refused = with_legacy(&settings);
        assert_eq!(check(&refused, &[old], BODY, 0), missing, "{settings}");
        assert_eq!(check(&refused, &[new], BODY, 0), Ok(()), "{settings}");
    }
    assert_eq!(check(&allowed, &[], BODY, 0), missing);
}

#[test]
fn settings_replace_public_keys() {
    use serde_json::json;
    let (new, old) = (("x-signature", ED25519_SIGNATURE), ("x-old-signature", RSA_SIGNATURE));
    let other = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    let changed = with_legacy(&json!({ "legacy": true, "key": other }));
    assert_eq!(check(&changed, &[new], BODY, 0), Err(Refused::Mismatch));
    assert_eq!(check(&changed, &[old], BODY, 0), Ok(()));
    let empty = with_legacy(&json!({ "legacy": true, "key": "", "old_key": "AAAA" }));
    assert_eq!(check(&empty, &[new], BODY, 0), Ok(()));
    assert_eq!(check(&empty, &[old], BODY, 0), Err(Refused::BadPublicKey));
}
