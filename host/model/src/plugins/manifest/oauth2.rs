//! The OAuth 2 part of a manifest: where tokens come from. The host runs the flows; the component never sees a token.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// Endpoints and scopes of an OAuth 2 provider (RFC 6749, PKCE RFC 7636). Token endpoints are the host's; they need not
/// and should not be among the component's hosts. With `authorize` a person consents (authorization code), without it the
/// tenant's own client id and secret are enough (client credentials).
///
/// Addresses may contain settings of the connection: `{base_url}/oauth/token`, `https://login.example/{directory}/token`.
/// Where a person consents, the operator's client secret is sent there, so that a setting may only be part of the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OAuth2Spec {
    /// Authorization endpoint; none for client credentials only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize: Option<String>,
    /// Token endpoint.
    pub token: String,
    /// Revocation endpoint (RFC 7009).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<String>,
    /// Scopes asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Use PKCE (S256).
    #[serde(default)]
    pub pkce: bool,
    /// Further parameters of the authorization address, such as `access_type = "offline"`.
    #[serde(default)]
    pub authorize_params: BTreeMap<String, String>,
    /// Further fields of every token request, such as `user_type = "Location"`.
    #[serde(default)]
    pub token_params: BTreeMap<String, String>,
    /// How the client names itself at the token endpoint.
    #[serde(default)]
    pub client_auth: ClientAuth,
}

/// How a client shows who it is at a token endpoint (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// `client_id` and `client_secret` in the body.
    #[default]
    Body,
    /// `Authorization: Basic`.
    Basic,
}

/// Parameters that the host sets itself.
const AUTHORIZE_OWN: [&str; 7] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];
const TOKEN_OWN: [&str; 7] =
    ["grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier", "refresh_token"];

impl OAuth2Spec {
    /// Does a person consent, with a client that the operator registered?
    #[must_use]
    pub const fn has_consent(&self) -> bool {
        self.authorize.is_some()
    }

    pub(super) fn problems(&self, path: &str, settings_schema: &Value, bad: &mut impl FnMut(String, &str)) {
        let addresses = [
            ("token", Some(&self.token)),
            ("authorize", self.authorize.as_ref()),
            ("revoke", self.revoke.as_ref()),
        ];
        for (name, address) in addresses {
            let Some(address) = address else { continue };
            let at = format!("{path}.{name}");
            if settings_in(address)
                .any(|name| settings_schema.pointer(&format!("/properties/{name}")).is_none())
            {
                bad(at.clone(), "names a setting that settings-schema does not declare");
            }
            let origin = origin_of(address);
            if self.has_consent() && origin.contains('{') {
                bad(at, "may take a setting only into its path, since the operator's secret is sent there");
            } else if !origin.contains('{') && !origin.starts_with("https://") {
                bad(at, "must be an https:// address");
            }
        }
        if self.authorize_params.keys().any(|name| AUTHORIZE_OWN.contains(&name.as_str())) {
            bad(format!("{path}.authorize-params"), "sets a parameter that the host sets itself");
        }
        if self.token_params.keys().any(|name| TOKEN_OWN.contains(&name.as_str())) {
            bad(format!("{path}.token-params"), "sets a field that the host sets itself");
        }
    }
}

/// Scheme, host and port of an address as it is written, placeholders included.
fn origin_of(address: &str) -> &str {
    let after = address.find("://").map_or(0, |at| at + 3);
    let rest = address.get(after..).unwrap_or_default();
    let end = rest.find('/').map_or(address.len(), |at| after + at);
    address.get(..end).unwrap_or(address)
}

/// Names between braces.
fn settings_in(address: &str) -> impl Iterator<Item = &str> {
    address.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

/// An endpoint under a connection's settings. A setting in front (an address itself) is put in as it is; one in the path is
/// encoded, so that it stays one segment. None if a setting is missing or the result is no address.
#[must_use]
pub fn endpoint(address: &str, settings: &Value) -> Option<Url> {
    let mut filled = String::new();
    let mut rest = address;
    // Ends: each turn takes a placeholder away.
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let value = settings.get(name)?.as_str()?;
        filled.push_str(before);
        if filled.is_empty() {
            filled.push_str(value.trim_end_matches('/'));
        } else {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            if value.is_empty() || value == "." || value == ".." || !value.bytes().all(is_plain) {
                return None;
            }
            filled.push_str(value);
        }
        rest = after;
    }
    filled.push_str(rest);
    Url::parse(&filled)
        .ok()
        .filter(|url| url.has_host() && url.username().is_empty() && url.password().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_put_into_addresses_and_cannot_leave_their_place() {
        let url = |address: &str, settings: Value| endpoint(address, &settings).map(|u| u.to_string());
        let base = json!({ "base_url": "https://b.example/api/" });
        assert_eq!(url("{base_url}/oauth/token", base), Some("https://b.example/api/oauth/token".to_owned()));
        let login = "https://login.example/{directory}/token";
        assert_eq!(
            url(login, json!({ "directory": "common" })),
            Some("https://login.example/common/token".to_owned())
        );
        for evil in ["../x", "a/b", "", "..", "a?b", "@evil.example", "%2e%2e"] {
            assert_eq!(url(login, json!({ "directory": evil })), None, "{evil}");
        }
        assert_eq!(url(login, json!({})), None);
        assert_eq!(url("{base_url}/x", json!({ "base_url": "https://user:word@b.example" })), None);
    }

    #[test]
    fn the_operators_secret_goes_to_no_host_of_a_tenant() {
        let schema = json!({ "properties": { "base_url": {}, "directory": {} } });
        let problems = |spec: Value| {
            let spec: OAuth2Spec = serde_json::from_value(spec).unwrap();
            let mut found = Vec::new();
            spec.problems("x", &schema, &mut |path, message: &str| found.push(format!("{path}: {message}")));
            found
        };
        assert!(problems(json!({ "token": "{base_url}/token" })).is_empty(), "the tenant's own secret");
        let consent = json!({ "authorize": "https://a.example/", "token": "{base_url}/token" });
        assert!(problems(consent)[0].contains("only into its path"));
        let path = json!({ "authorize": "https://a.example/{directory}", "token": "https://a.example/{directory}/t" });
        assert!(problems(path).is_empty());
        assert!(problems(json!({ "token": "http://a.example/t" }))[0].contains("https"));
        assert!(problems(json!({ "token": "https://a.example/{other}" }))[0].contains("does not declare"));
        let own = json!({ "token": "https://a.example/t", "token-params": { "grant_type": "x" } });
        assert!(problems(own)[0].contains("sets itself"));
    }
}
