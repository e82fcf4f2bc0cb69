//! May this request be made? Pure: URL, method and headers in, a target or a refusal out.

use std::collections::BTreeSet;

use berth_model::plugins::manifest::{Manifest, host_matches};
use http::{HeaderMap, HeaderName, Method, Uri, header, uri::Scheme};
use url::{Host, Url};

use super::failure::{Failure, Refusal};

/// What the decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The plugin's manifest, for the headers of its credentials and for hints.
    pub manifest: &'a Manifest,
    /// Hosts that the manifest asks for under the connection's settings.
    pub asked: &'a BTreeSet<String>,
    /// Hosts that instance, tenant and listing grant.
    pub granted: &'a BTreeSet<String>,
    /// Hosts, with or without a port, that may be reached in the clear and inside the private network.
    pub insecure: &'a BTreeSet<String>,
    /// Longest URL, in bytes.
    pub url_bytes_max: usize,
    /// All headers, in bytes.
    pub header_bytes_max: usize,
}

/// Where an allowed request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URL, normalised: what was checked is what is sent.
    pub url: Url,
    /// Host in lower case, with the port if it is not the scheme's own.
    pub authority: String,
    /// Did the operator's configuration name it? Then plain http and private addresses are allowed.
    pub insecure: bool,
}

/// Methods of APIs. TRACE answers with the request's headers, CONNECT opens a tunnel.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT"];

/// Headers that are the host's: they authenticate, frame the message, or ask for an answer in pieces (in which half a
/// credential could pass unseen).
const HOST_HEADERS: [HeaderName; 15] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::SET_COOKIE,
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("http2-settings"),
    header::RANGE,
    header::IF_RANGE,
    header::FORWARDED,
    HeaderName::from_static("x-http-method-override"),
];

/// May a component not set this header? Also those to which the manifest attaches a credential.
#[must_use]
pub fn is_host_header(manifest: &Manifest, name: &HeaderName) -> bool {
    HOST_HEADERS.contains(name)
        || name.as_str().starts_with("proxy-")
        || manifest
            .credentials
            .values()
            .flat_map(|c| &c.attach)
            .any(|a| a.header.as_deref() == Some(name.as_str()))
}

/// Does a pattern allow this authority under this scheme? The scheme's own port may be written in a pattern.
#[must_use]
pub fn authority_matches(pattern: &str, scheme: &str, authority: &str) -> bool {
    let own_port = if scheme == "http" { ":80" } else { ":443" };
    host_matches(pattern.strip_suffix(own_port).unwrap_or(pattern), authority)
}

/// Decide. The order of the checks is the order of the reasons: the first that fails is reported.
pub fn decide(rules: &Rules<'_>, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Target, Refusal> {
    let target = target(rules, uri)?;
    if !METHODS.contains(&method.as_str()) {
        return Err(Failure::Method.into());
    }
    check_headers(rules, uri, headers)?;
    Ok(target)
}

fn target(rules: &Rules<'_>, uri: &Uri) -> Result<Target, Refusal> {
    let target = checked(rules.insecure, rules.url_bytes_max, uri)?;
    let (url, authority) = (&target.url, &target.authority);
    let matches =
        |patterns: &BTreeSet<String>| patterns.iter().any(|p| authority_matches(p, url.scheme(), authority));
    if !matches(rules.asked) {
        return Err(Refusal::with_hint(
            Failure::HostNotAsked,
            format!("plugin.toml: hosts = [\"{authority}\"]"),
        ));
    }
    if !matches(rules.granted) {
        return Err(Refusal::with_hint(
            Failure::HostNotGranted,
            format!(
                "grant \"{authority}\" to the plugin \"{}\", and to the tenant and listing where their grants are narrower",
                rules.manifest.id
            ),
        ));
    }
    Ok(target)
}

/// The target of an address by the rules that hold for everybody: https or named by the operator, a name, no user in it.
pub fn checked(insecure: &BTreeSet<String>, url_bytes_max: usize, uri: &Uri) -> Result<Target, Refusal> {
    let written = uri.to_string();
    if written.len() > url_bytes_max {
        return Err(Failure::UrlTooLong.into());
    }
    let url = Url::parse(&written).map_err(|_| Failure::Url)?;
    let host = url.host_str().ok_or(Failure::Url)?;
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
    let insecure = insecure.contains(host) || with_port.is_some_and(|named| insecure.contains(&named));
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => {}
        Some(scheme) if *scheme == Scheme::HTTP && insecure => {}
        _ => {
            return Err(Refusal::with_hint(
                Failure::Scheme,
                format!(
                    "use https; for a test server the operator's configuration may say insecure-hosts = [\"{authority}\"]"
                ),
            ));
        }
    }
    if uri.authority().is_some_and(|a| a.as_str().contains('@'))
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(Failure::Userinfo.into());
    }
    match url.host() {
        Some(Host::Domain(domain)) => {
            // A host that reads differently in two ways (percent signs, other scripts) is for nobody's list.
            if uri.host().is_none_or(|h| !h.eq_ignore_ascii_case(domain)) {
                return Err(Failure::Url.into());
            }
        }
        // 2130706433 and 0x7f.1 are addresses too; the parser has told.
        _ if insecure => {}
        _ => return Err(Refusal::with_hint(Failure::IpLiteral, "use the provider's host name")),
    }
    Ok(Target { url, authority, insecure })
}

fn check_headers(rules: &Rules<'_>, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    if header_bytes(headers) > rules.header_bytes_max {
        return Err(Failure::HeadersTooLarge.into());
    }
    let forbidden = |name: &HeaderName, hint: &str| {
        Err(Refusal::with_hint(Failure::ForbiddenHeader, format!("do not set {name}: {hint}")))
    };
    if let Some(name) = headers.keys().find(|name| is_host_header(rules.manifest, name)) {
        return forbidden(name, "the host does, by the manifest's credentials");
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let same = |h: &header::HeaderValue| {
        uri.authority().is_some_and(|a| h.as_bytes().eq_ignore_ascii_case(a.as_str().as_bytes()))
    };
    if hosts.next().is_some_and(|h| !same(h)) || hosts.next().is_some() {
        return forbidden(&header::HOST, "it follows from the URL");
    }
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let digits = |l: &header::HeaderValue| !l.is_empty() && l.as_bytes().iter().all(u8::is_ascii_digit);
    if lengths.next().is_some_and(|l| !digits(l)) || lengths.next().is_some() {
        return forbidden(&header::CONTENT_LENGTH, "it follows from the body");
    }
    Ok(())
}

/// Names and values of all headers with their separators, in bytes.
#[must_use]
pub fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

#[cfg(test)]
mod tests;
