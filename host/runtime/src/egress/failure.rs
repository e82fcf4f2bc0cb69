//! Why a request of a component gave no answer.

use wasmtime_wasi_http::Error;

/// A rule that refused a request, or a way in which it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Neither https, nor http to a host that the operator's configuration names.
    Scheme,
    /// The URL cannot be read, or two readers could understand it differently.
    Url,
    /// The URL is longer than allowed.
    UrlTooLong,
    /// The URL holds a user or password.
    Userinfo,
    /// An address in place of a name.
    IpLiteral,
    /// The manifest does not ask for the host.
    HostNotAsked,
    /// The manifest asks for it; nobody granted it.
    HostNotGranted,
    /// A method that is not for APIs.
    Method,
    /// The component set a header that is the host's.
    ForbiddenHeader,
    /// The request's headers are larger than allowed.
    HeadersTooLarge,
    /// A credential cannot be put where the manifest says.
    CredentialUnusable,
    /// The component itself set the query parameter or body field of a credential.
    CredentialConflict,
    /// More requests in one call than allowed.
    TooManyRequests,
    /// The request body is larger than allowed.
    BodyOutTooLarge,
    /// The component did not finish the request body, or not as announced.
    BodyOutIncomplete,
    /// The connection's rate limit; answered 429.
    RateLimited,
    /// The name has no address.
    Lookup,
    /// The lookup took too long.
    LookupTimeout,
    /// One of the name's addresses is not on the public internet.
    AddressProhibited,
    /// Connecting took too long.
    ConnectTimeout,
    /// Nobody listens.
    ConnectRefused,
    /// The connection broke.
    Terminated,
    /// The certificate is not valid for the host.
    TlsCertificate,
    /// TLS failed otherwise.
    Tls,
    /// The answer did not begin in time.
    FirstByteTimeout,
    /// The answer paused for too long.
    BetweenBytesTimeout,
    /// The whole request took too long.
    RequestTimeout,
    /// Not HTTP.
    Protocol,
    /// The answer ended too early.
    Incomplete,
    /// The answer's headers are larger than allowed.
    AnswerHeadersTooLarge,
    /// The answer's body is larger than allowed.
    AnswerTooLarge,
    /// The answers of this call are together larger than allowed.
    CallBodyInExhausted,
    /// The answer is compressed though that was not offered: credentials in it could not be found.
    ContentCoding,
    /// The answer repeats a credential in a form that cannot be cut out.
    CredentialEchoed,
    /// The host's own HTTP client could not be made.
    Client,
}

impl Failure {
    /// Constant name for records, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::Url => "url",
            Self::UrlTooLong => "url_too_long",
            Self::Userinfo => "userinfo",
            Self::IpLiteral => "ip_literal",
            Self::HostNotAsked => "host_not_asked",
            Self::HostNotGranted => "host_not_granted",
            Self::Method => "method",
            Self::ForbiddenHeader => "forbidden_header",
            Self::HeadersTooLarge => "headers_too_large",
            Self::CredentialUnusable => "credential_unusable",
            Self::CredentialConflict => "credential_conflict",
            Self::TooManyRequests => "too_many_requests",
            Self::BodyOutTooLarge => "body_out_too_large",
            Self::BodyOutIncomplete => "body_out_incomplete",
            Self::RateLimited => "rate_limited",
            Self::Lookup => "lookup",
            Self::LookupTimeout => "lookup_timeout",
            Self::AddressProhibited => "address_prohibited",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectRefused => "connect_refused",
            Self::Terminated => "terminated",
            Self::TlsCertificate => "tls_certificate",
            Self::Tls => "tls",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::BetweenBytesTimeout => "between_bytes_timeout",
            Self::RequestTimeout => "request_timeout",
            Self::Protocol => "protocol",
            Self::Incomplete => "incomplete",
            Self::AnswerHeadersTooLarge => "answer_headers_too_large",
            Self::AnswerTooLarge => "answer_too_large",
            Self::CallBodyInExhausted => "call_body_in_exhausted",
            Self::ContentCoding => "content_coding",
            Self::CredentialEchoed => "credential_echoed",
            Self::Client => "client",
        }
    }

    /// The error code of wasi:http that says it best to the component.
    #[must_use]
    pub fn to_wasi(self) -> Error {
        match self {
            Self::Scheme
            | Self::Userinfo
            | Self::HostNotAsked
            | Self::HostNotGranted
            | Self::ForbiddenHeader
            | Self::CredentialConflict => Error::HttpRequestDenied,
            Self::Url => Error::HttpRequestUriInvalid,
            Self::UrlTooLong => Error::HttpRequestUriTooLong,
            Self::IpLiteral | Self::AddressProhibited => Error::DestinationIpProhibited,
            Self::Method => Error::HttpRequestMethodInvalid,
            Self::HeadersTooLarge => Error::HttpRequestHeaderSectionSize(None),
            Self::CredentialUnusable | Self::Client => Error::ConfigurationError,
            Self::TooManyRequests | Self::RateLimited => Error::ConnectionLimitReached,
            Self::BodyOutTooLarge | Self::BodyOutIncomplete => Error::HttpRequestBodySize(None),
            Self::Lookup => {
                Error::DnsError { rcode: Some("the name has no address".to_owned()), info_code: None }
            }
            Self::LookupTimeout => Error::DnsTimeout,
            Self::ConnectTimeout => Error::ConnectionTimeout,
            Self::ConnectRefused => Error::ConnectionRefused,
            Self::Terminated => Error::ConnectionTerminated,
            Self::TlsCertificate => Error::TlsCertificateError,
            Self::Tls => Error::TlsProtocolError,
            Self::FirstByteTimeout | Self::RequestTimeout => Error::HttpResponseTimeout,
            Self::BetweenBytesTimeout => Error::ConnectionReadTimeout,
            Self::Protocol => Error::HttpProtocolError,
            Self::Incomplete => Error::HttpResponseIncomplete,
            Self::AnswerHeadersTooLarge => Error::HttpResponseHeaderSectionSize(None),
            Self::AnswerTooLarge | Self::CallBodyInExhausted => Error::HttpResponseBodySize(None),
            Self::ContentCoding => Error::HttpResponseContentCoding(None),
            Self::CredentialEchoed => {
                Error::InternalError(Some("the answer repeats a credential and is withheld".to_owned()))
            }
        }
    }
}

/// A failure, and what would mend it where somebody can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What happened.
    pub failure: Failure,
    /// The manifest or grant line that would allow it, or another remedy. Never holds a secret.
    pub hint: Option<String>,
}

impl Refusal {
    /// A failure with a remedy.
    #[must_use]
    pub fn with_hint(failure: Failure, hint: impl Into<String>) -> Self {
        Self { failure, hint: Some(hint.into()) }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, hint: None }
    }
}
