//! Puts credentials into a request as the manifest says. Pure.
//!
//! Happens after everything that is logged or recorded was taken from the request, and the result is not printable.

mod capability;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use berth_model::{
    connections::secret::{Credentials, Secret},
    limits,
    plugins::manifest::{Attach, Manifest},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::{
    failure::{Failure, Refusal},
    policy::{Target, authority_matches},
};

/// A request while credentials are put into it. Not printable: afterwards it holds secrets.
pub struct Outgoing {
    /// Method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Attach all credentials that the manifest wants on this request and the connection has. The first credential (by name)
/// that claims a place gets it: a manifest may offer two ways to log in.
pub fn attach(
    manifest: &Manifest,
    credentials: &Credentials,
    target: &Target,
    request: &mut Outgoing,
) -> Result<(), Refusal> {
    // What the component was allowed to send; the target's URL is the one that was checked.
    let sent_query = target.url.clone();
    for (name, spec) in &manifest.credentials {
        let Some(secret) = credentials.get(name) else { continue };
        for place in &spec.attach {
            if applies(place, target, &request.method) {
                check_length(name, secret)?;
                put(name, place, secret, &sent_query, request)?;
            }
        }
    }
    Ok(())
}

/// What must not come back in any answer: all credentials of the connection, not only those of the request at hand. A
/// provider that was told a webhook's secret yesterday may list it today.
#[must_use]
pub fn secrets(manifest: &Manifest, credentials: &Credentials) -> Vec<Secret> {
    let mut found = Vec::new();
    for (name, secret) in credentials {
        found.push(secret.clone());
        // `user:password`: either may come back alone; a user may be a public mail address if there is a password.
        if manifest.credentials.get(name).is_some_and(|c| c.attach.iter().any(|a| a.basic))
            && let Some((user, password)) = secret.expose().split_once(':')
        {
            found.push(Secret::new(if password.is_empty() { user } else { password }.to_owned()));
        }
        // A server names an address by its path alone, too.
        if manifest.credentials.get(name).is_some_and(|c| c.attach.iter().any(|a| a.address))
            && let Some(url) = capability::read(secret)
        {
            found.push(Secret::new(capability::path_of(&url).to_owned()));
        }
    }
    found.retain(|s| s.expose().len() >= limits::EGRESS_CREDENTIAL_BYTES_MIN);
    found
}

fn check_length(name: &str, secret: &Secret) -> Result<(), Refusal> {
    let allowed = limits::EGRESS_CREDENTIAL_BYTES_MIN..=limits::EGRESS_CREDENTIAL_BYTES_MAX;
    if allowed.contains(&secret.expose().len()) {
        return Ok(());
    }
    Err(Refusal::with_hint(
        Failure::CredentialUnusable,
        format!(
            "the credential {name} must have {} to {} bytes",
            limits::EGRESS_CREDENTIAL_BYTES_MIN,
            limits::EGRESS_CREDENTIAL_BYTES_MAX
        ),
    ))
}

/// Is this place meant for this request?
fn applies(place: &Attach, target: &Target, method: &Method) -> bool {
    let host_ok = place.hosts.is_empty()
        || place.hosts.iter().any(|h| authority_matches(h, target.url.scheme(), &target.authority));
    host_ok
        && place.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method.as_str()))
        && place.path.as_ref().is_none_or(|p| path_matches(p, target.url.path()))
}

/// Does a path fit a pattern in which `*` stands for one segment? Segments that a server might take apart (an encoded
/// slash, backslash or dot) fit no `*`.
fn path_matches(pattern: &str, path: &str) -> bool {
    let is_one_segment = |s: &str| {
        let lower = s.to_ascii_lowercase();
        !s.is_empty() && !["%2f", "%5c", "%2e", "%25", ".."].iter().any(|bad| lower.contains(bad))
    };
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), Some(segment)) if is_one_segment(segment) => {}
            (Some(pattern), Some(segment)) if pattern != "*" && pattern == segment => {}
            _ => return false,
        }
    }
}

/// Put one credential into one place, unless another credential has taken it.
fn put(
    name: &str,
    place: &Attach,
    secret: &Secret,
    sent: &Url,
    request: &mut Outgoing,
) -> Result<(), Refusal> {
    let text = Zeroizing::new(place.format.replacen("{}", secret.expose(), 1));
    if place.basic {
        let pair = Zeroizing::new(BASE64.encode(secret.expose()));
        let value = Zeroizing::new(format!("Basic {}", *pair));
        put_header(name, header::AUTHORIZATION, &value, request)
    } else if let Some(header) = &place.header {
        let header =
            HeaderName::from_bytes(header.as_bytes()).map_err(|_| unusable(name, "is no header name"))?;
        put_header(name, header, &text, request)
    } else if let Some(parameter) = &place.query {
        let has = |url: &Url| url.query_pairs().any(|(n, _)| n == parameter.as_str());
        if has(sent) {
            let hint = format!("do not set the query parameter {parameter}: the host does, by the manifest");
            return Err(Refusal::with_hint(Failure::CredentialConflict, hint));
        }
        if has(&request.url) {
            return Ok(());
        }
        request.url.query_pairs_mut().append_pair(parameter, &text);
        Ok(())
    } else if let Some(pointer) = &place.body_field {
        put_body_field(name, pointer, &text, request)
    } else if place.address {
        capability::put(name, secret, sent, request)
    } else {
        Ok(())
    }
}

fn put_header(name: &str, header: HeaderName, text: &str, request: &mut Outgoing) -> Result<(), Refusal> {
    if request.headers.contains_key(&header) {
        return Ok(());
    }
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| unusable(name, "holds characters that no header may hold, such as a line break"))?;
    value.set_sensitive(true);
    request.headers.insert(header, value);
    Ok(())
}

/// Set a field of a JSON body whose parent is there. A request without a body has no field to set.
fn put_body_field(name: &str, pointer: &str, text: &str, request: &mut Outgoing) -> Result<(), Refusal> {
    if request.body.is_empty() {
        return Ok(());
    }
    let mut json: Value = serde_json::from_slice(&request.body)
        .map_err(|_| unusable(name, "belongs into a JSON body, and the body is none"))?;
    let (parent, field) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    let field = field.replace("~1", "/").replace("~0", "~");
    let object = json
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .ok_or_else(|| unusable(name, "belongs into an object that the body does not have"))?;
    if object.get(&field).is_some_and(|v| !v.is_null()) {
        let hint = format!("do not set the body field {pointer}: the host does, by the manifest");
        return Err(Refusal::with_hint(Failure::CredentialConflict, hint));
    }
    object.insert(field, Value::from(text));
    request.body = serde_json::to_vec(&json).map_err(|_| unusable(name, "cannot be written as JSON"))?.into();
    Ok(())
}

fn unusable(name: &str, why: &str) -> Refusal {
    Refusal::with_hint(Failure::CredentialUnusable, format!("the credential {name} {why}"))
}

#[cfg(test)]
mod tests;
