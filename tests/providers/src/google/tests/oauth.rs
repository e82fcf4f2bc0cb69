//! Consent, tokens, and their ends.

use serde_json::{Value, json};

use super::{Answer, Bench, Config};
use crate::google::{OAuthClient, oauth::s256};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT: &str = "https://berth.example/oauth/callback";
const LIST: &str = "/calendar/v3/users/me/calendarList";

impl Bench {
    /// Where the consent page sends the person.
    async fn consent(&self, changes: &[(&str, &str)]) -> Option<url::Url> {
        let client = OAuthClient::default();
        let challenge = s256(VERIFIER);
        let mut parameters = vec![
            ("client_id", client.id.as_str()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "https://www.googleapis.com/auth/calendar.calendarlist.readonly"),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("state", "made-up-state"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name, value));
        }
        let url = format!("{}/o/oauth2/v2/auth", self.google.url());
        let answer = self.client.get(url).query(&parameters).send().await.unwrap();
        let location = answer.headers().get("location")?.to_str().ok()?;
        url::Url::parse(location).ok()
    }

    async fn code(&self) -> String {
        let back = self.consent(&[]).await.unwrap();
        assert!(back.as_str().starts_with(REDIRECT));
        let get = |name: &str| back.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        assert_eq!(get("state").as_deref(), Some("made-up-state"));
        get("code").unwrap()
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let client = OAuthClient::default();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("client_id", client.id.as_str()), ("client_secret", client.secret.as_str())]);
        form.extend_pairs(fields);
        let request = self.client.post(format!("{}/token", self.google.url()));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form.finish()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    async fn exchange(&self, code: &str, verifier: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier),
        ];
        self.token(&fields).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn status_with(&self, token: &Value, target: &str) -> u16 {
        let value = format!("Bearer {}", token.as_str().unwrap());
        self.call("GET", target, &[("authorization", &value)], Value::Null).await.0
    }
}

#[test]
fn the_challenge_of_the_rfc() {
    // RFC 7636 appendix B.
    assert_eq!(s256(VERIFIER), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[tokio::test]
async fn a_code_is_good_once_and_with_its_verifier() {
    let bench = Bench::new().await;
    let code = bench.code().await;
    let (status, tokens) = bench.exchange(&code, VERIFIER).await;
    assert_eq!(
        (status, &tokens["expires_in"], &tokens["token_type"]),
        (200, &json!(3_599), &json!("Bearer"))
    );
    assert!(tokens["refresh_token"].is_string());
    assert_eq!(bench.status_with(&tokens["access_token"], LIST).await, 200);
    assert_eq!(bench.status_with(&tokens["access_token"], super::EVENTS).await, 403, "the scope is another");
    let (status, refused) = bench.exchange(&code, VERIFIER).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
    let wrong = bench.exchange(&bench.code().await, "another-verifier").await;
    assert_eq!((wrong.0, &wrong.1["error"]), (400, &json!("invalid_grant")));
    let late = bench.code().await;
    bench.pass_seconds(601);
    assert_eq!(bench.exchange(&late, VERIFIER).await.0, 400);
}

#[tokio::test]
async fn a_refresh_token_is_kept_until_the_consent_ends() {
    let bench = Bench::new().await;
    let (_, tokens) = bench.exchange(&bench.code().await, VERIFIER).await;
    bench.pass_seconds(3_600);
    assert_eq!(bench.status_with(&tokens["access_token"], LIST).await, 401);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let (status, fresh) = bench.refresh(refresh).await;
    assert_eq!((status, fresh.get("refresh_token")), (200, None), "the old one goes on");
    assert_eq!(bench.status_with(&fresh["access_token"], LIST).await, 200);
    bench.google.expire_access_tokens();
    assert_eq!(bench.status_with(&fresh["access_token"], LIST).await, 401);
    let (_, fresh) = bench.refresh(refresh).await;
    let revoke = format!("/revoke?token={refresh}");
    assert_eq!(bench.call("POST", &revoke, &[], Value::Null).await.0, 200);
    assert_eq!(bench.status_with(&fresh["access_token"], LIST).await, 401);
    let (status, dead) = bench.refresh(refresh).await;
    assert_eq!((status, &dead["error"]), (400, &json!("invalid_grant")));
    assert_eq!(bench.call("POST", &revoke, &[], Value::Null).await.0, 400);
}

#[tokio::test]
async fn what_the_consent_page_does_not_take() {
    let oauth = OAuthClient { redirect_uris: vec![REDIRECT.to_owned()], ..OAuthClient::default() };
    let bench = Bench::with(Config { oauth, ..Config::default() }).await;
    for changes in [
        ("client_id", "somebody"),
        ("redirect_uri", "https://elsewhere.example/"),
        ("response_type", "token"),
        ("code_challenge_method", "plain"),
    ] {
        assert_eq!(bench.consent(&[changes]).await, None, "{changes:?}");
    }
    bench.code().await;
    // Without asking for consent again there is no second refresh token.
    let back = bench.consent(&[("prompt", "none")]).await.unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert_eq!(bench.exchange(&code, VERIFIER).await.1.get("refresh_token"), None);

    let oauth = OAuthClient { denies: true, ..OAuthClient::default() };
    let bench = Bench::with(Config { oauth, ..Config::default() }).await;
    let back = bench.consent(&[]).await.unwrap();
    assert!(back.query_pairs().any(|(name, value)| name == "error" && value == "access_denied"));
}
