//! What HTTP asks of every request, and what the layers below us leave to us (RFC 9110, RFC 9112).

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header,
        uri::Authority,
    },
    response::IntoResponse,
};
use berth_model::problem::{Code, Problem};

use super::{arrival::Arrival, problem::ApiError};

/// Header fields that are no lists: sent twice, they say two things.
const ONCE: [HeaderName; 6] = [
    header::HOST,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::IF_MATCH,
    HeaderName::from_static("idempotency-key"),
];

/// Of a header field's value that an answer repeats, in bytes.
const REPEATED_BYTES_MAX: usize = 100;

/// Marks an answer that is not ours to word: a provider asked for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsItIs;

/// Refuse what two readers could understand in two ways.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), Problem> {
    for name in &ONCE {
        if request.headers().get_all(name).iter().nth(1).is_some() {
            return Err(malformed(format!("The header field {name} may stand only once.")));
        }
    }
    codings(request.headers())?;
    // Only a request that came over a connection has a host to name.
    if request.extensions().get::<Arrival>().is_some() {
        host(request.version(), request.headers())?;
    }
    Ok(())
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(Code::MalformedRequest, detail)
}

/// What a body is wrapped in. Taken for the body itself it would be read as nonsense at best, and as another request by a proxy at
/// worst (RFC 9112, section 6.1; RFC 9110, section 8.4).
fn codings(headers: &HeaderMap) -> Result<(), Problem> {
    let said = |name| {
        let fields = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        fields.flat_map(|field| field.split(',')).map(str::trim).filter(|coding| !coding.is_empty())
    };
    if let Some(other) =
        said(header::TRANSFER_ENCODING).find(|coding| !coding.eq_ignore_ascii_case("chunked"))
    {
        let detail = format!("It came as {:?}; only chunked is taken.", shortened(other));
        return Err(Problem::new(Code::UnknownTransferCoding, detail));
    }
    if let Some(other) =
        said(header::CONTENT_ENCODING).find(|coding| !coding.eq_ignore_ascii_case("identity"))
    {
        let detail = format!("It is encoded as {:?}; send it without Content-Encoding.", shortened(other));
        return Err(Problem::new(Code::WrongMediaType, detail));
    }
    Ok(())
}

/// As much of what somebody sent as an answer repeats.
fn shortened(text: &str) -> &str {
    text.get(..text.floor_char_boundary(REPEATED_BYTES_MAX)).unwrap_or_default()
}

/// RFC 9112, section 3.2: exactly one, and a valid one.
fn host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::HOST) else {
        if version == Version::HTTP_11 {
            return Err(malformed("The header field Host is missing."));
        }
        return Ok(());
    };
    let name = value.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
    let is_one = |name: Authority| {
        let port = name.as_str().strip_prefix(name.host());
        !name.host().is_empty() && port.is_some_and(|port| port.is_empty() || name.port_u16().is_some())
    };
    if name.is_some_and(is_one) {
        return Ok(());
    }
    Err(malformed("The header field Host is no host name, with or without a port."))
}

/// An answer to `OPTIONS`: which methods there are, of the path or of the server as a whole (`*`). The routes themselves only say so when
/// they refuse.
pub(crate) fn options(method: &Method, of_server: bool, answer: Response<Body>) -> Response<Body> {
    if *method != Method::OPTIONS {
        return answer;
    }
    let allowed = match answer.headers().get(header::ALLOW) {
        Some(allowed) if answer.status() == StatusCode::METHOD_NOT_ALLOWED => Some(allowed.clone()),
        _ => None,
    };
    if allowed.is_none() && !of_server {
        return answer;
    }
    let mut answer = StatusCode::NO_CONTENT.into_response();
    // Of the server as a whole (`*`) there is nothing to say but that it is there.
    answer.headers_mut().insert(
        header::ALLOW,
        allowed.unwrap_or(HeaderValue::from_static("GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS")),
    );
    answer
}

/// A refusal that came from below us, as a problem document with its status.
pub(crate) fn documented(answer: Response<Body>) -> Response<Body> {
    let status = answer.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    let media = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_worded = media.is_some_and(|media| !media.starts_with("text/plain"));
    if !is_refusal || is_worded || answer.extensions().get::<AsItIs>().is_some() {
        return answer;
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => (Code::NotFound, "There is no such path."),
        StatusCode::METHOD_NOT_ALLOWED => (Code::MethodNotAllowed, "This path does not take this method."),
        StatusCode::REQUEST_TIMEOUT => (Code::TooSlow, "The request took too long to come."),
        StatusCode::PAYLOAD_TOO_LARGE => (Code::TooLarge, "The body is larger than this path takes."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (Code::WrongMediaType, "This path does not take that media type.")
        }
        StatusCode::SERVICE_UNAVAILABLE => (Code::NotReady, "It cannot be answered now."),
        status if status.is_server_error() => (Code::Internal, "The request could not be handled."),
        _ => (Code::MalformedRequest, "The request cannot be read."),
    };
    let (mut parts, _) = answer.into_parts();
    let mut document = ApiError(Problem::new(code, detail)).into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    document.headers_mut().extend(parts.headers);
    *document.extensions_mut() = parts.extensions;
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_once_and_well() {
        let ask = |version, hosts: &[&str]| {
            let mut request = Request::builder().version(version).uri("/x");
            for host in hosts {
                request = request.header("host", *host);
            }
            let mut request = request.body(()).unwrap();
            request.extensions_mut().insert(Arrival { tls: false });
            check(&request).is_ok()
        };
        let new = Version::HTTP_11;
        for good in ["localhost", "127.0.0.1:8080", "[::1]:80", "booking.example.com"] {
            assert!(ask(new, &[good]), "{good}");
        }
        for bad in [vec![], vec![""], vec!["a@b"], vec!["a b"], vec!["a/b"], vec!["a", "a"], vec!["a:b"]] {
            assert!(!ask(new, &bad), "{bad:?}");
        }
        assert!(ask(Version::HTTP_10, &[]) && !ask(Version::HTTP_10, &["a", "b"]));
    }

    #[test]
    fn refusals_from_below_become_documents_and_others_stay() {
        let plain = (StatusCode::URI_TOO_LONG, [(header::ALLOW, "GET")], "no").into_response();
        let made = documented(plain);
        assert_eq!(
            (made.status(), &made.headers()["allow"]),
            (StatusCode::BAD_REQUEST, &HeaderValue::from_static("GET"))
        );
        assert_eq!(made.headers()["content-type"], "application/problem+json");
        let mut own = (StatusCode::GONE, "no").into_response();
        own.extensions_mut().insert(AsItIs);
        assert_eq!(documented(own).headers()["content-type"], "text/plain; charset=utf-8");
        let fine = (StatusCode::OK, "yes").into_response();
        assert_eq!(documented(fine).headers()["content-type"], "text/plain; charset=utf-8");
    }
}
