//! What makes two requests the same.

use axum::http::{HeaderMap, Method, Uri, header};
use ring::digest::{Context, SHA256};

/// Method, path, query, body, and the headers that change what a request does.
pub(crate) fn fingerprint(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> [u8; 32] {
    let query = query_of(uri.query().unwrap_or_default());
    let header = |name| headers.get(name).map_or(&b""[..], |value| value.as_bytes());
    let mut context = Context::new(&SHA256);
    for part in [
        method.as_str().as_bytes(),
        uri.path().as_bytes(),
        query.as_bytes(),
        header(header::CONTENT_TYPE),
        header(header::IF_MATCH),
        body,
    ] {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// Parameters in the order of their names, since theirs means nothing; equal ones keep their order. However they are escaped.
fn query_of(query: &str) -> String {
    let mut pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(
        method: &Method,
        uri: &str,
        headers: &[(header::HeaderName, &'static str)],
        body: &str,
    ) -> [u8; 32] {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        fingerprint(method, &uri.parse().unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn everything_that_changes_a_request_is_in_it() {
        let json = (header::CONTENT_TYPE, "application/json");
        let post = |uri: &str, body: &str| of(&Method::POST, uri, std::slice::from_ref(&json), body);
        let first = post("/a?b=1&c=2", "{}");
        for (what, same) in [
            ("the order of the query", post("/a?c=2&b=1", "{}")),
            ("how it is escaped", post("/a?b=%31&c=2", "{}")),
            (
                "what is accepted",
                of(&Method::POST, "/a?b=1&c=2", &[json.clone(), (header::ACCEPT, "text/html")], "{}"),
            ),
        ] {
            assert_eq!(first, same, "{what}");
        }
        for (what, other) in [
            ("a parameter", post("/a?b=1&c=3", "{}")),
            ("fewer parameters", post("/a?b=1", "{}")),
            ("the order of equal parameters", post("/a?b=1&c=2&c=3", "{}")),
            ("the path", post("/a/?b=1&c=2", "{}")),
            ("an escaped path", post("/%61?b=1&c=2", "{}")),
            ("the body", post("/a?b=1&c=2", "{ }")),
            ("the method", of(&Method::PUT, "/a?b=1&c=2", std::slice::from_ref(&json), "{}")),
            (
                "the content type",
                of(&Method::POST, "/a?b=1&c=2", &[(header::CONTENT_TYPE, "text/csv")], "{}"),
            ),
            (
                "a precondition",
                of(&Method::POST, "/a?b=1&c=2", &[json.clone(), (header::IF_MATCH, "\"1\"")], "{}"),
            ),
        ] {
            assert_ne!(first, other, "{what}");
        }
        assert_ne!(post("/a?c=2&c=3", "{}"), post("/a?c=3&c=2", "{}"));
        assert_ne!(post("/a", "b{}"), post("/ab", "{}"), "parts do not run into one another");
    }
}
