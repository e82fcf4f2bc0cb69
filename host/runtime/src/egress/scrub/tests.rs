use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

const KEY: &str = "cal_test_not/a+real\"key";

fn scrubber(secret: &str) -> Scrubber {
    Scrubber::new(&[Secret::new(secret.to_owned())])
}
fn scrub(body: &str) -> Result<String, Echoed> {
    scrubber(KEY).body(body.as_bytes().to_vec()).map(|b| String::from_utf8(b).unwrap())
}

#[test]
fn known_forms_are_cut_out() {
    let json = serde_json::to_string(KEY).unwrap();
    for (body, expected) in [
        (format!("you sent {KEY}, twice {KEY}."), "you sent [removed], twice [removed]."),
        (format!(r#"{{"auth":{json}}}"#), r#"{"auth":"[removed]"}"#),
        (json.replace('/', "\\/"), "\"[removed]\""),
        ("?k=cal_test_not%2Fa%2Breal%22key&x".to_owned(), "?k=[removed]&x"),
        ("?k=cal_test_not%2fa%2breal%22key&x".to_owned(), "?k=[removed]&x"),
        ("63616c5f746573745f6e6f742f612b7265616c226b6579".to_owned(), "[removed]"),
        ("nothing of the kind".to_owned(), "nothing of the kind"),
    ] {
        assert_eq!(scrub(&body).as_deref(), Ok(expected), "{body}");
    }
}

#[test]
fn base64_at_every_position() {
    for before in ["", "a", "ab", "abc", "user:"] {
        for after in ["", "z", "zz", "zzz"] {
            let body = STANDARD.encode(format!("{before}{KEY}{after}"));
            let clean = scrub(&body).unwrap();
            assert!(clean.contains("[removed]"), "{before} {after} {clean}");
            // At most the digits that a neighbour shares are left.
            assert!(clean.len() <= "[removed]".len() + 16, "{before} {after} {clean}");
        }
    }
}

#[test]
fn strange_forms_withhold_the_answer() {
    for body in [
        r"cal\u005ftest_not/a+real\u0022key".to_owned(),
        "%63al_test_not/a+real%22key".to_owned(),
        "cal_test_not/a+real&quot;key".to_owned(),
        "&#99;al_test_not/a+real&#x22;key".to_owned(),
        // Twice encoded.
        "cal_test_not%252Fa%252Breal%2522key".to_owned(),
        KEY.chars().flat_map(|c| [c, '\0']).collect(),
    ] {
        assert_eq!(scrub(&body), Err(Echoed), "{body}");
    }
    // Escapes without a credential pass, byte for byte.
    let body = r#"{"a":"\u00e9 \"q\" 100% &amp; %zz \"#;
    assert_eq!(scrub(body).as_deref(), Ok(body));
}

#[test]
fn headers_lose_credentials_and_cookies() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("location", "https://x.example/?key=cal_test_not%2Fa%2Breal%22key"),
        ("x-echo", "&#99;al_test_not/a+real&#x22;key"),
        ("set-cookie", "sid=1"),
        ("content-type", "text/plain"),
    ] {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    scrubber(KEY).headers(&mut headers);
    assert_eq!(headers["location"], "https://x.example/?key=[removed]");
    assert_eq!(headers["x-echo"], "[removed]");
    assert_eq!(headers["content-type"], "text/plain");
    assert!(!headers.contains_key("set-cookie"));

    let mut named = HeaderMap::new();
    named.insert(HeaderName::from_static("x-abcdefgh-1"), HeaderValue::from_static("1"));
    scrubber("AbCdEfGh").headers(&mut named);
    assert!(named.is_empty());
}

#[test]
fn a_part_of_a_longer_credential_does_not_shield_it() {
    let both = Scrubber::new(&["secretpart", "the-secretpart-and-more"].map(|s| Secret::new(s.to_owned())));
    assert_eq!(both.body(b"<the-secretpart-and-more>".to_vec()), Ok(b"<[removed]>".to_vec()));
}

proptest! {
    /// Wherever the credential stands, and however one of the usual writers wrote it, it is gone afterwards.
    #[test]
    fn nothing_of_it_is_left(
        secret in "[ -~]{8,40}",
        before in "[ -~]{0,20}",
        after in "[ -~]{0,20}",
        form in 0..4,
    ) {
        let written = match form {
            0 => secret.clone(),
            1 => url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            2 => serde_json::to_string(&secret).unwrap(),
            _ => STANDARD.encode(&secret),
        };
        let scrubber = scrubber(&secret);
        let body = format!("{before}{written}{after}").into_bytes();
        if let Ok(clean) = scrubber.body(body) {
            prop_assert!(!clean.windows(written.len()).any(|w| w == written.as_bytes()));
            prop_assert!(!clean.windows(secret.len()).any(|w| w == secret.as_bytes()));
        }
    }

    /// Undoing escapes never fails, and never makes more than there was (in UTF-8).
    #[test]
    fn decoding_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Some(plain) = decoded(&bytes) {
            prop_assert!(plain.len() <= bytes.len());
        }
    }
}
