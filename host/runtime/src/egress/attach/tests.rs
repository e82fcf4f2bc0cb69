use super::*;

fn manifest(attach: &str) -> Manifest {
    Manifest::parse(&format!(
        r#"
id = "acme"
version = "1.0.0"
contract = "0.1"
name = "Acme"
hosts = ["api.acme.example", "hooks.acme.example"]
[credentials.key]
label = "Key"
kind = "api-key"
attach = [{attach}]
[credentials.token]
label = "Token"
kind = "api-key"
attach = [{{ header = "authorization", format = "Token {{}}" }}]
"#
    ))
    .unwrap()
}

/// Attach the key `made-up-key` to a request.
fn sent(attach: &str, method: &str, url: &str, body: &str) -> Result<Outgoing, Refusal> {
    let url: Url = url.parse().unwrap();
    let target = Target { authority: url.host_str().unwrap().to_owned(), url: url.clone(), insecure: false };
    let mut request = Outgoing {
        method: method.parse().unwrap(),
        url,
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_owned()),
    };
    let credentials = [("key".to_owned(), Secret::new("made-up:key".to_owned()))].into();
    super::attach(&manifest(attach), &credentials, &target, &mut request)?;
    Ok(request)
}
fn authorization(request: &Outgoing) -> Option<&str> {
    request.headers.get("authorization").map(|v| v.to_str().unwrap())
}

const BEARER: &str = r#"{ header = "authorization", format = "Bearer {}", hosts = ["api.acme.example"] }"#;

#[test]
fn in_a_header_for_its_hosts() {
    let request = sent(BEARER, "GET", "https://api.acme.example/v1", "").unwrap();
    assert_eq!(authorization(&request), Some("Bearer made-up:key"));
    assert!(request.headers["authorization"].is_sensitive());
    let elsewhere = sent(BEARER, "GET", "https://hooks.acme.example/v1", "").unwrap();
    assert_eq!(authorization(&elsewhere), None);
}

#[test]
fn basic() {
    let request = sent("{ basic = true }", "GET", "https://api.acme.example/", "").unwrap();
    assert_eq!(authorization(&request), Some("Basic bWFkZS11cDprZXk="));
}

#[test]
fn all_credentials_are_secret_and_so_are_the_parts_of_basic() {
    let secrets = |attach: &str, values: &[(&str, &str)]| -> Vec<String> {
        let credentials =
            values.iter().map(|(n, v)| ((*n).to_owned(), Secret::new((*v).to_owned()))).collect();
        super::secrets(&manifest(attach), &credentials).iter().map(|s| s.expose().to_owned()).collect()
    };
    let basic = "{ basic = true }";
    assert_eq!(secrets(basic, &[("key", "ada@x.example:pass1")]), ["ada@x.example:pass1", "pass1"]);
    assert_eq!(secrets(basic, &[("key", "made-up-key:")]), ["made-up-key:", "made-up-key"]);
    assert_eq!(secrets(BEARER, &[("key", "made-up:key"), ("token", "abc")]), ["made-up:key"]);
    assert_eq!(secrets(BEARER, &[("only-for-webhooks", "made-up")]), ["made-up"]);
}

#[test]
fn in_the_query_unless_the_component_set_it() {
    let attach = r#"{ query = "api_key" }"#;
    let request = sent(attach, "GET", "https://api.acme.example/?a=1%20", "").unwrap();
    assert_eq!(request.url.query(), Some("a=1%20&api_key=made-up%3Akey"));
    for query in ["api_key=x", "api%5Fkey=x"] {
        let refused = sent(attach, "GET", &format!("https://api.acme.example/?{query}"), "").err().unwrap();
        assert_eq!(refused.failure, Failure::CredentialConflict);
    }
}

#[test]
fn in_a_body_field() {
    let attach = r#"{ body-field = "/hook/secret", method = "POST", path = "/v2/*/webhooks" }"#;
    let url = "https://api.acme.example/v2/7/webhooks";
    let request = sent(attach, "POST", url, r#"{"hook":{"url":"u"}}"#).unwrap();
    assert_eq!(request.body, r#"{"hook":{"secret":"made-up:key","url":"u"}}"#);
    for (body, expected) in [
        (r#"{"hook":{"secret":"mine"}}"#, Failure::CredentialConflict),
        (r#"{"hook":7}"#, Failure::CredentialUnusable),
        ("not json", Failure::CredentialUnusable),
    ] {
        assert_eq!(sent(attach, "POST", url, body).err().unwrap().failure, expected, "{body}");
    }
    for (method, url) in [
        ("GET", url),
        ("POST", "https://api.acme.example/v2/7/8/webhooks"),
        ("POST", "https://api.acme.example/v2/webhooks"),
        ("POST", "https://api.acme.example/v2/7%2F..%2F8/webhooks"),
    ] {
        let untouched = sent(attach, method, url, r#"{"hook":{}}"#).unwrap();
        assert_eq!(untouched.body, r#"{"hook":{}}"#, "{method} {url}");
    }
}

#[test]
fn the_first_credential_gets_the_place() {
    let both: Credentials =
        ["key", "token"].map(|n| (n.to_owned(), Secret::new(format!("made-up-{n}")))).into();
    let url: Url = "https://api.acme.example/".parse().unwrap();
    let target = Target { authority: "api.acme.example".to_owned(), url: url.clone(), insecure: false };
    let mut request = Outgoing { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
    super::attach(&manifest(BEARER), &both, &target, &mut request).unwrap();
    assert_eq!(authorization(&request), Some("Bearer made-up-key"));
}

#[test]
fn credentials_that_cannot_be_sent_or_removed_are_refused() {
    let url: Url = "https://api.acme.example/".parse().unwrap();
    let target = Target { authority: "api.acme.example".to_owned(), url: url.clone(), insecure: false };
    for bad in ["abc", "two\r\nlines", &"a".repeat(limits::EGRESS_CREDENTIAL_BYTES_MAX + 1)] {
        let mut request =
            Outgoing { method: Method::GET, url: url.clone(), headers: HeaderMap::new(), body: Bytes::new() };
        let credentials = [("key".to_owned(), Secret::new(bad.to_owned()))].into();
        let refused = super::attach(&manifest(BEARER), &credentials, &target, &mut request).unwrap_err();
        assert_eq!(refused.failure, Failure::CredentialUnusable);
        assert!(!refused.hint.unwrap().contains(bad));
    }
}

const ADDRESS: &str = "{ address = true }";

/// A request to the server, under a credential that is this address.
fn addressed(address: &str, url: &str) -> Result<String, Refusal> {
    let url: Url = url.parse().unwrap();
    let target = Target { authority: url.host_str().unwrap().to_owned(), url: url.clone(), insecure: false };
    let (headers, body) = (HeaderMap::new(), Bytes::new());
    let mut request = Outgoing { method: Method::GET, url, headers, body };
    let credentials = [("key".to_owned(), Secret::new(address.to_owned()))].into();
    super::attach(&manifest(ADDRESS), &credentials, &target, &mut request).map(|()| request.url.into())
}

#[test]
fn an_address_takes_the_place_of_path_and_query() {
    let private = "https://api.acme.example/ical/eve%40example.com/private-1a2b/basic.ics?v=2";
    for given in [
        private.to_owned(),
        format!("  {private}#top\n"),
        private.replace("https", "webcal"),
        private.replace("https", "WEBCALS"),
        private.replace("example/", "example:443/"),
    ] {
        assert_eq!(addressed(&given, "https://api.acme.example/?x=1").as_deref(), Ok(private), "{given}");
    }
}

#[test]
fn an_address_leads_nowhere_else() {
    for bad in [
        "https://hooks.acme.example/private-1a2b",
        "https://api.acme.example:8443/private-1a2b",
        "http://api.acme.example/private-1a2b",
        "https://ada:pass@api.acme.example/private-1a2b",
        "https://api.acme.example@hooks.acme.example/private-1a2b",
        "file:///private-1a2b",
        "webcal:private-1a2b",
        "private-1a2b",
    ] {
        let refused = addressed(bad, "https://api.acme.example/").unwrap_err();
        assert_eq!(refused.failure, Failure::CredentialUnusable, "{bad}");
        assert!(!refused.hint.unwrap_or_default().contains("1a2b"), "a refusal tells nothing of it");
    }
}

#[test]
fn the_path_of_an_address_is_secret_by_itself() {
    let address = "webcal://api.acme.example/private-1a2b/basic.ics?v=2";
    let credentials = [("key".to_owned(), Secret::new(address.to_owned()))].into();
    let secrets = super::secrets(&manifest(ADDRESS), &credentials);
    let told: Vec<&str> = secrets.iter().map(Secret::expose).collect();
    assert_eq!(told, [address, "/private-1a2b/basic.ics?v=2"]);
}
