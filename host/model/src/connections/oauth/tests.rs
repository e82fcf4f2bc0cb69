use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::id::TenantId;

struct Counting(AtomicU8);
impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

const NOW: Instant = Instant::from_seconds(1_900_000_000);

fn spec() -> OAuth2Spec {
    serde_json::from_value(json!({
        "authorize": "https://id.example/authorize?a=1", "token": "https://id.example/token", "revoke": "https://id.example/revoke",
        "scopes": ["read", "write"], "pkce": true, "authorize-params": { "access_type": "offline" }, "token-params": { "user_type": "Location" },
    }))
    .unwrap()
}

fn client() -> Client {
    Client { id: "client_1".to_owned(), secret: Some(Secret::new("made_up_client_secret".to_owned())) }
}

fn form(request: &TokenRequest) -> BTreeMap<&str, &str> {
    request.form.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
}

#[test]
fn the_rfcs_own_challenge() {
    // RFC 7636, appendix B.
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
    assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn an_authorization_address_says_all_that_is_needed_and_no_secret() {
    let made = authorization(
        &spec(),
        &json!({}),
        "client_1",
        "https://b.example/api/oauth/callback",
        &Counting(0.into()),
    )
    .unwrap();
    let query: BTreeMap<_, _> = made.url.query_pairs().into_owned().collect();
    let verifier = made.verifier.unwrap();
    assert_eq!(query["code_challenge"], challenge(&verifier));
    assert_eq!(query["state"], made.state.expose());
    assert_ne!(made.state, verifier);
    assert_eq!(
        (query["scope"].as_str(), query["access_type"].as_str(), query["a"].as_str()),
        ("read write", "offline", "1")
    );
    assert!(!made.url.as_str().contains(verifier.expose()));
}

#[test]
fn token_requests_by_grant() {
    let tenant = TenantId::new(NOW, &Counting(0.into()));
    let verifier = Secret::new("made_up_verifier".to_owned());
    let code = Grant::Code { code: "c", redirect_uri: "https://b.example/cb", verifier: Some(&verifier) };
    let request = token_request(tenant, &spec(), &json!({}), &client(), code).unwrap();
    let fields = form(&request);
    assert_eq!(
        (fields["grant_type"], fields["code_verifier"], fields["user_type"]),
        ("authorization_code", "made_up_verifier", "Location")
    );
    assert_eq!((fields["client_id"], fields["client_secret"]), ("client_1", "made_up_client_secret"));

    let basic = OAuth2Spec { client_auth: ClientAuth::Basic, ..spec() };
    let refresh = Secret::new("made_up_refresh".to_owned());
    let request = token_request(tenant, &basic, &json!({}), &client(), Grant::Refresh(&refresh)).unwrap();
    assert_eq!(request.basic.as_ref().map(|(id, _)| id.as_str()), Some("client_1"));
    assert!(!form(&request).contains_key("client_secret"));

    let request = token_request(tenant, &spec(), &json!({}), &client(), Grant::ClientCredentials).unwrap();
    assert_eq!(form(&request)["scope"], "read write");
}

#[test]
fn answers_are_read_as_the_rfc_says() {
    let body = json!({ "access_token": "made_up_access", "token_type": "bearer", "expires_in": "3600", "refresh_token": "r1", "scope": "read" });
    let tokens = TokenSet::of_answer(body.to_string().as_bytes(), NOW, &spec().scopes, None).unwrap();
    assert_eq!(tokens.expires_at, Some(NOW.plus_seconds(3_600)));
    assert_eq!(tokens.missing(&spec()), ["write"]);
    assert!(!tokens.is_ending(NOW) && tokens.is_ending(NOW.plus_seconds(3_599)));
    assert_eq!(TokenSet::read(&tokens.to_credential()), Some(tokens.clone()));

    // A refresh that brings no refresh token keeps the old one; one that brings another replaces it.
    let plain = br#"{"access_token":"made_up_second"}"#;
    let second = TokenSet::of_answer(plain, NOW, &spec().scopes, Some(&tokens)).unwrap();
    assert_eq!((second.refresh_token.clone(), second.expires_at), (tokens.refresh_token.clone(), None));
    assert_eq!(second.scopes, tokens.scopes);
    let third =
        TokenSet::of_answer(br#"{"access_token":"x3","refresh_token":"r2"}"#, NOW, &[], Some(&second))
            .unwrap();
    assert_eq!(third.refresh_token.unwrap().expose(), "r2");

    for bad in
        [&b"no json"[..], b"{}", br#"{"access_token":""}"#, br#"{"access_token":"x","token_type":"mac"}"#]
    {
        assert!(matches!(TokenSet::of_answer(bad, NOW, &[], None), Err(TokenError::Unavailable(_))));
    }
    assert_eq!(TokenSet::read(&Secret::new("a_pasted_token".to_owned())), None);
    assert_eq!(TokenSet::read(&Secret::new(format!("{MARK}{{"))), None);
}

#[test]
fn refusals_are_told_apart() {
    let of = |status, body: &str| TokenError::of_answer(status, body.as_bytes());
    assert!(matches!(of(400, r#"{"error":"invalid_grant"}"#), TokenError::InvalidGrant(_)));
    assert!(matches!(of(401, r#"{"error":"invalid_client"}"#), TokenError::Refused(_)));
    for (status, body) in [
        (500, ""),
        (400, "<html>"),
        (429, r#"{"error":"too_many"}"#),
        (503, r#"{"error":"temporarily_unavailable"}"#),
    ] {
        assert!(matches!(of(status, body), TokenError::Unavailable(_)), "{status} {body}");
    }
}

#[test]
fn the_consent_is_shown_without_a_token() {
    let tokens = TokenSet {
        access_token: Secret::new("made_up_access".to_owned()),
        refresh_token: None,
        expires_at: Some(NOW),
        obtained_at: NOW,
        scopes: BTreeSet::from(["read".to_owned(), "write".to_owned()]),
        client: None,
    };
    let of = |tokens: &TokenSet| Consent::of("oauth", &tokens.to_credential(), &spec(), NOW);
    assert_eq!(of(&tokens).state, "expired");
    let renewed = TokenSet { refresh_token: Some(Secret::new("r".to_owned())), ..tokens.clone() };
    assert_eq!(of(&renewed).state, "valid");
    let narrow = TokenSet { scopes: BTreeSet::new(), ..renewed };
    assert_eq!((of(&narrow).state, of(&narrow).missing_scopes.len()), ("scopes_missing", 2));
    let shown = serde_json::to_string(&of(&narrow)).unwrap();
    assert!(!shown.contains("made_up"), "{shown}");
    assert_eq!(Consent::of("oauth", &Secret::new("pasted_token".to_owned()), &spec(), NOW).state, "pasted");
}
