use http::HeaderValue;

use super::*;

fn manifest() -> Manifest {
    Manifest::parse(
        r#"
id = "acme"
version = "1.0.0"
contract = "0.1"
name = "Acme"
hosts = ["api.acme.example", "*.acme.example", "api.acme.example:8443"]
[credentials.key]
label = "Key"
kind = "api-key"
attach = [{ header = "x-api-key" }]
"#,
    )
    .unwrap()
}

fn set(hosts: &[&str]) -> BTreeSet<String> {
    hosts.iter().map(|h| (*h).to_owned()).collect()
}

fn decide_with(
    granted: &[&str],
    insecure: &[&str],
    uri: &str,
    headers: &HeaderMap,
) -> Result<Target, Refusal> {
    let manifest = manifest();
    let mut asked: BTreeSet<String> = manifest.hosts.iter().cloned().collect();
    // As a setting of the tenant would.
    asked.extend(insecure.iter().map(|h| (*h).to_owned()));
    let rules = Rules {
        manifest: &manifest,
        asked: &asked,
        granted: &set(granted),
        insecure: &set(insecure),
        url_bytes_max: 200,
        header_bytes_max: 300,
    };
    decide(&rules, &Method::GET, &uri.parse().unwrap(), headers)
}

fn verdict(granted: &[&str], uri: &str) -> Result<String, Failure> {
    decide_with(granted, &[], uri, &HeaderMap::new()).map(|t| t.url.to_string()).map_err(|r| r.failure)
}

#[test]
fn hosts_are_asked_and_granted() {
    let all = &["api.acme.example", "*.acme.example", "api.acme.example:8443"];
    for (granted, uri, expected) in [
        (&all[..], "https://api.acme.example/v1?a=b", Ok("https://api.acme.example/v1?a=b")),
        (all, "https://API.Acme.Example/v1", Ok("https://api.acme.example/v1")),
        (all, "https://api.acme.example:443/v1", Ok("https://api.acme.example/v1")),
        (all, "https://api.acme.example:8443/", Ok("https://api.acme.example:8443/")),
        (all, "https://api.acme.example:8444/", Err(Failure::HostNotAsked)),
        (all, "https://eu.acme.example/", Ok("https://eu.acme.example/")),
        (all, "https://acme.example/", Err(Failure::HostNotAsked)),
        (all, "https://evilacme.example/", Err(Failure::HostNotAsked)),
        (all, "https://api.acme.example.evil.example/", Err(Failure::HostNotAsked)),
        (all, "https://api.acme.example./", Err(Failure::HostNotAsked)),
        (all, "https://eu.acme.example:8443/", Err(Failure::HostNotAsked)),
        // A wildcard asked and a literal granted, and the other way round.
        (&["eu.acme.example"], "https://eu.acme.example/", Ok("https://eu.acme.example/")),
        (&["eu.acme.example"], "https://us.acme.example/", Err(Failure::HostNotGranted)),
        (&["*.acme.example"], "https://api.acme.example/", Ok("https://api.acme.example/")),
        (&["api.acme.example:443"], "https://api.acme.example/", Ok("https://api.acme.example/")),
        (&["elsewhere.example"], "https://elsewhere.example/", Err(Failure::HostNotAsked)),
        (&[], "https://api.acme.example/", Err(Failure::HostNotGranted)),
        (all, "http://api.acme.example/", Err(Failure::Scheme)),
        (all, "ftp://api.acme.example/", Err(Failure::Scheme)),
        (all, "https://user@api.acme.example/", Err(Failure::Userinfo)),
        (all, "https://api.acme.example@evil.example/", Err(Failure::Userinfo)),
        (all, "https://127.0.0.1/", Err(Failure::IpLiteral)),
        (all, "https://[::1]/", Err(Failure::IpLiteral)),
        (all, "https://2130706433/", Err(Failure::IpLiteral)),
        (all, "https://0x7f.1/", Err(Failure::IpLiteral)),
        (all, "https://api.acme.example/a/../b/%2e%2e/c", Ok("https://api.acme.example/c")),
    ] {
        assert_eq!(verdict(granted, uri), expected.map(str::to_owned), "{granted:?} {uri}");
    }
    let long = format!("https://api.acme.example/{}", "a".repeat(200));
    assert_eq!(verdict(all, &long), Err(Failure::UrlTooLong));
}

#[test]
fn refusals_say_which_line_would_allow_it() {
    let hint = |granted: &[&str], uri: &str| {
        decide_with(granted, &[], uri, &HeaderMap::new()).unwrap_err().hint.unwrap()
    };
    assert_eq!(
        hint(&[], "https://other.example:8443/x?secret=1"),
        r#"plugin.toml: hosts = ["other.example:8443"]"#
    );
    let not_granted = hint(&[], "https://eu.acme.example/");
    assert!(
        not_granted.contains(r#""eu.acme.example""#) && not_granted.contains(r#""acme""#),
        "{not_granted}"
    );
}

#[test]
fn insecure_hosts_are_those_that_are_named() {
    for (insecure, uri, expected) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/", Ok(true)),
        ("127.0.0.1", "http://127.0.0.1:8080/", Err(Failure::HostNotAsked)),
        ("127.0.0.1:8080", "http://127.0.0.1:8081/", Err(Failure::Scheme)),
        ("127.0.0.1:8080", "https://127.0.0.1:8081/", Err(Failure::IpLiteral)),
        ("sim.example:80", "http://sim.example:80/", Ok(true)),
        ("sim.example", "https://api.acme.example/", Ok(false)),
    ] {
        let granted = ["127.0.0.1:8080", "sim.example:80", "api.acme.example"];
        let got = decide_with(&granted, &[insecure], uri, &HeaderMap::new());
        assert_eq!(got.map(|t| t.insecure).map_err(|r| r.failure), expected, "{insecure} {uri}");
    }
}

#[test]
fn headers_of_the_host_are_refused() {
    let with = |pairs: &[(&str, &str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        decide_with(&["api.acme.example"], &[], "https://api.acme.example/", &headers)
            .map(|_| ())
            .map_err(|r| r.failure)
    };
    for name in [
        "Authorization",
        "Cookie",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Expect",
        "Range",
        "X-Api-Key",
    ] {
        assert_eq!(with(&[(name, "x")]), Err(Failure::ForbiddenHeader), "{name}");
    }
    assert_eq!(with(&[("host", "api.acme.example"), ("accept", "*/*"), ("content-length", "3")]), Ok(()));
    for smuggling in [
        &[("host", "metadata.internal")][..],
        &[("host", "api.acme.example"), ("host", "api.acme.example")],
        &[("content-length", "3"), ("content-length", "4")],
        &[("content-length", "+3")],
        &[("content-length", "")],
    ] {
        assert_eq!(with(smuggling), Err(Failure::ForbiddenHeader), "{smuggling:?}");
    }
    assert_eq!(with(&[("x-long", &"a".repeat(300))]), Err(Failure::HeadersTooLarge));
}

#[test]
fn methods_of_apis_only() {
    let manifest = manifest();
    let hosts = set(&["api.acme.example"]);
    let rules = Rules {
        manifest: &manifest,
        asked: &hosts,
        granted: &hosts,
        insecure: &set(&[]),
        url_bytes_max: 200,
        header_bytes_max: 300,
    };
    for (method, allowed) in [
        ("GET", true),
        ("PATCH", true),
        ("PROPFIND", true),
        ("REPORT", true),
        ("TRACE", false),
        ("CONNECT", false),
        ("PURGE", false),
    ] {
        let method = method.parse().unwrap();
        let got = decide(&rules, &method, &"https://api.acme.example/".parse().unwrap(), &HeaderMap::new());
        assert_eq!(got.is_ok(), allowed, "{method}");
    }
}
