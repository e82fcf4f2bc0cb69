use super::{hosts::is_host_pattern, *};

#[test]
fn wildcards_match_subdomains_only() {
    for (host, expected) in [
        ("a.example.com", true),
        ("a.b.example.com", true),
        ("example.com", false),
        ("evilexample.com", false),
        (".example.com", false),
        ("a.example.com.evil.org", false),
    ] {
        assert_eq!(host_matches("*.example.com", host), expected, "{host}");
    }
}

#[test]
fn host_patterns() {
    for (pattern, expected) in [
        ("api.example.com", true),
        ("api.example.com:8443", true),
        ("*.example.com", true),
        ("*.com", false),
        ("*", false),
        ("10.0.0.1", false),
        ("localhost", false),
        ("https://api.example.com", false),
        ("api.example.com/v1", false),
        ("API.example.com", false),
        ("user@api.example.com", false),
    ] {
        assert_eq!(is_host_pattern(pattern), expected, "{pattern}");
    }
}

#[test]
fn all_problems_are_reported_with_their_path() {
    let text = r#"
id = "acme"
version = "1.0"
contract = "9.9"
name = "Acme"
hosts = ["https://x"]
[credentials.key]
label = "Key"
kind = "api-key"
attach = [{ header = "authorization", query = "key" }]
[webhook]
scheme = "hmac-sha256"
header = "X-Sig"
secret = "nope"
public-key-setting = "key"
[webhook.legacy]
allowed-by-setting = "old"
scheme = "rsa-sha256"
header = "X-Old"
[webhook.handshake]
challenge = { query = "c", body-field = "/c" }
secret = { body-field = "c" }
reply-field = ""
"#;
    let paths: Vec<String> = Manifest::parse(text).unwrap_err().into_iter().map(|p| p.path).collect();
    assert_eq!(
        paths,
        [
            "version",
            "contract",
            "hosts[0]",
            "credentials.key.attach[0]",
            "webhook.public-key-setting",
            "webhook.legacy.allowed-by-setting",
            "webhook.legacy.public-key",
            "webhook.legacy.header",
            "webhook.secret",
            "webhook.header",
            "webhook.handshake.challenge",
            "webhook.handshake.secret.body-field",
            "webhook.handshake.reply-field",
        ]
    );
}

#[test]
fn a_token_in_the_body_stands_alone() {
    let with = |webhook: &str| {
        let text = format!(
            "id = \"acme\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nname = \"Acme\"\n\
            [credentials.state]\nlabel = \"State\"\nkind = \"generated\"\n[webhook]\nsecret = \"state\"\n{webhook}"
        );
        let problems = Manifest::parse(&text).err().unwrap_or_default();
        problems.into_iter().map(|p| p.path).collect::<Vec<_>>()
    };
    let good = "scheme = \"shared-token\"\nbody-field = \"/value/*/clientState\"\n";
    assert_eq!(with(good), Vec::<String>::new());
    for (webhook, path) in [
        ("scheme = \"shared-token\"\n".to_owned(), "webhook.header"),
        (format!("{good}header = \"x-token\"\n"), "webhook.header"),
        (good.replace("/value/", "value/"), "webhook.body-field"),
        (good.replace("shared-token", "hmac-sha256"), "webhook.body-field"),
        (
            format!("{good}tolerance-seconds = 5\ntimestamp = {{ body-field = \"/t\" }}\n"),
            "webhook.tolerance-seconds",
        ),
    ] {
        assert_eq!(with(&webhook), [path], "{webhook}");
    }
}

#[test]
fn rates_are_for_a_connection_and_for_all() {
    let with = |rates: &str| {
        let text =
            format!("id = \"acme\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nname = \"Acme\"\n{rates}");
        Manifest::parse(&text)
    };
    let none = with("").unwrap();
    assert_eq!((none.rate_limit, none.provider_rate_limit), (None, None));
    let stored = serde_json::to_value(&none).unwrap();
    assert!(stored.get("provider-rate-limit").is_none(), "what was stored before still reads");
    let shared = with("provider-rate-limit = { requests = 9, per-seconds = 60 }").unwrap();
    assert_eq!(shared.provider_rate_limit, Some(RateLimit { requests: 9, per_seconds: 60 }));
    assert_eq!(serde_json::from_value::<Manifest>(serde_json::to_value(&shared).unwrap()).unwrap(), shared);
    for name in ["rate-limit", "provider-rate-limit"] {
        for numbers in ["requests = 0, per-seconds = 60", "requests = 9, per-seconds = 0"] {
            let problems = with(&format!("{name} = {{ {numbers} }}")).unwrap_err();
            assert_eq!((problems.len(), problems[0].path.as_str()), (1, name));
        }
    }
}

#[test]
fn what_is_deep_is_refused() {
    for deep in ["[", "{a=", "{\"a\"="] {
        let text = format!("id = {}", deep.repeat(20_000));
        assert!(Manifest::parse(&text).is_err());
    }
}
