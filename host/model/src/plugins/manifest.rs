//! The manifest of a provider plugin (`plugin.toml`, embedded in the component): what it is, what it asks for, and how
//! the host attaches credentials and verifies webhooks on its behalf. It asks; the operator grants.

mod handshake;
mod hosts;
mod legacy;
mod names;
mod oauth2;
mod parts;
mod texts;
mod webhook;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::limits;
use hosts::is_host_pattern;

pub use handshake::{HandshakeCondition, HandshakeField, HandshakeSpec};
pub use hosts::host_matches;
pub use legacy::LegacySignature;
pub use names::{BUILTIN, taken_names};
pub use oauth2::{ClientAuth, OAuth2Spec, endpoint};
pub use parts::{CredentialPart, folded};
pub use webhook::{
    AccountSource, SignatureEncoding, TimestampFormat, TimestampSource, WebhookScheme, WebhookSpec,
};

/// Name of the custom section of a component that holds its manifest.
pub const MANIFEST_SECTION: &str = "berth:manifest";

/// Contract versions that this host can load (`major.minor`).
pub const CONTRACTS: &[&str] = &["0.1"];

/// The id of a plugin: 2 to 32 of `a-z 0-9 -`, beginning with a letter. Also its name in URLs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PluginId(String);

/// A text that is no plugin id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a plugin id: 2 to 32 of a-z, 0-9 and -, beginning with a letter")]
pub struct PluginIdError;

impl PluginId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for PluginId {
    type Err = PluginIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = (2..=32).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        good.then(|| Self(text.to_owned())).ok_or(PluginIdError)
    }
}
impl<'de> Deserialize<'de> for PluginId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A plugin's manifest. Unknown keys are refused, so that a typing error is not a silent default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Unique name; the same over all versions.
    pub id: PluginId,
    /// Other names that are read for it wherever a provider is named. None is another plugin's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<PluginId>,
    /// `major.minor.patch` of the plugin.
    pub version: String,
    /// `major.minor` of the `berth:provider` contract it is written against.
    pub contract: String,
    /// Name for people.
    pub name: String,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
    /// A `data:` URL of an image, at most 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Hosts it wants to reach: `api.example.com`, `api.example.com:8443` or `*.example.com` (subdomains only).
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Settings that hold a URL of the provider (self-hosted ones); their hosts are asked for as well.
    #[serde(default)]
    pub host_settings: Vec<String>,
    /// Credentials by name.
    #[serde(default)]
    pub credentials: BTreeMap<String, CredentialSpec>,
    /// JSON Schema of the settings object; drives the form and the validation.
    #[serde(default = "any_object")]
    pub settings_schema: Value,
    /// How inbound webhooks are verified; none if the provider sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookSpec>,
    /// How often the provider may be asked, per connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// How often the provider may be asked over all connections together: where the quota is that of the app, not of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_rate_limit: Option<RateLimit>,
    /// How long answers may be kept.
    #[serde(default)]
    pub cache: CacheTimes,
}

fn any_object() -> Value {
    serde_json::json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// One credential: where it comes from and how the host attaches it. Never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CredentialSpec {
    /// Name for people.
    pub label: String,
    /// Where it comes from.
    pub kind: CredentialKind,
    /// Must the tenant give it? Generated ones are always there.
    #[serde(default)]
    pub required: bool,
    /// How it is attached to requests; empty for one that only verifies webhooks or signs.
    #[serde(default)]
    pub attach: Vec<Attach>,
    /// May the component ask for keyed hashes under it (`credentials.sign`, `credentials.mac-equal`)?
    #[serde(default)]
    pub sign: bool,
    /// What it is made of, in this order, joined by a colon; none: it is one value. The first of them holds no colon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<CredentialPart>,
    /// For `kind = "oauth2"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2Spec>,
}

/// Where a credential comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// The tenant pastes it.
    ApiKey,
    /// The tenant types `user:password`.
    Basic,
    /// The host runs the OAuth 2 flow.
    Oauth2,
    /// The host makes it up, for example a webhook secret.
    Generated,
}

/// Where in a request a credential goes. Exactly one of `header`, `query`, `basic`, `body-field`, `address`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attach {
    /// A header of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// A query parameter of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// `Authorization: Basic`, from `user:password`.
    #[serde(default)]
    pub basic: bool,
    /// JSON Pointer (RFC 6901) to a field of a JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_field: Option<String>,
    /// The credential is a whole address, which whoever knows it may read: its path and query take the place of the request's. Its server
    /// must be the request's.
    #[serde(default)]
    pub address: bool,
    /// Text around the value, `{}` standing for it: `Bearer {}`.
    #[serde(default = "just_the_value")]
    pub format: String,
    /// Only for these hosts (of `hosts`); empty for all.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Only for this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only for this path, `*` standing for one segment: `/v2/event-types/*/webhooks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

fn just_the_value() -> String {
    "{}".to_owned()
}

/// A rate: so many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateLimit {
    /// Requests.
    pub requests: u32,
    /// Seconds.
    pub per_seconds: u32,
}

/// How long the host may keep answers, in seconds; 0 not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CacheTimes {
    pub catalog_seconds: u32,
    pub availability_seconds: u32,
}

/// Something wrong with a manifest: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{path}: {message}")]
pub struct ManifestProblem {
    /// Key in the manifest: `credentials.api-key.attach[0]`.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Manifest {
    /// Read and check a manifest, but for whether its settings schema is a JSON Schema ([`Manifest::parse_with`]).
    pub fn parse(text: &str) -> Result<Self, Vec<ManifestProblem>> {
        Self::parse_with(text, |_| true)
    }

    /// Read and check a manifest. All problems at once. What is a JSON Schema says who has an engine for that (`berth_settings::read`).
    pub fn parse_with(text: &str, is_schema: impl Fn(&Value) -> bool) -> Result<Self, Vec<ManifestProblem>> {
        let problem = |message: String| vec![ManifestProblem { path: "plugin.toml".to_owned(), message }];
        if text.len() > limits::MANIFEST_BYTES_MAX {
            return Err(problem(format!("is larger than {} bytes", limits::MANIFEST_BYTES_MAX)));
        }
        let manifest: Self = toml::from_str(text).map_err(|e| problem(e.to_string()))?;
        let problems = manifest.problems(is_schema);
        if problems.is_empty() { Ok(manifest) } else { Err(problems) }
    }

    /// Everything that is wrong beyond the syntax.
    fn problems(&self, is_schema: impl Fn(&Value) -> bool) -> Vec<ManifestProblem> {
        let mut found = Vec::new();
        let mut bad = |path: String, message: &str| {
            found.push(ManifestProblem { path, message: message.to_owned() });
        };
        if !is_version(&self.version, 3) {
            bad("version".to_owned(), "must be major.minor.patch in numbers, such as 1.4.0");
        }
        if !CONTRACTS.contains(&self.contract.as_str()) {
            bad("contract".to_owned(), &format!("this host loads {}", CONTRACTS.join(", ")));
        }
        names::problems(self, &mut bad);
        parts::problems(self, &mut bad);
        texts::problems(self, &mut bad);
        if self.hosts.len() > limits::MANIFEST_HOSTS_MAX {
            bad("hosts".to_owned(), &format!("at most {}", limits::MANIFEST_HOSTS_MAX));
        }
        for (i, host) in self.hosts.iter().enumerate() {
            if !is_host_pattern(host) {
                bad(
                    format!("hosts[{i}]"),
                    "must be a host name in lower case, with an optional port, or *. and a domain of two labels or more",
                );
            }
        }
        if !is_schema(&self.settings_schema)
            || self.settings_schema.get("type").and_then(Value::as_str) != Some("object")
        {
            bad("settings-schema".to_owned(), "must be a JSON Schema of type object");
        }
        let properties = self.settings_schema.get("properties");
        for (i, name) in self.host_settings.iter().enumerate() {
            if properties.and_then(|p| p.get(name)).is_none() {
                bad(format!("host-settings[{i}]"), "names a setting that settings-schema does not declare");
            }
        }
        for (name, spec) in &self.credentials {
            let path = format!("credentials.{name}");
            if name.parse::<PluginId>().is_err() {
                bad(path.clone(), "the name must be 2 to 32 of a-z, 0-9 and -, beginning with a letter");
            }
            if (spec.kind == CredentialKind::Oauth2) != spec.oauth2.is_some() {
                bad(path.clone(), "oauth2 goes with kind = \"oauth2\", and only with it");
            }
            if let Some(oauth2) = &spec.oauth2 {
                oauth2.problems(&format!("{path}.oauth2"), &self.settings_schema, &mut bad);
            }
            for (i, attach) in spec.attach.iter().enumerate() {
                let path = format!("{path}.attach[{i}]");
                let ways = usize::from(attach.header.is_some())
                    + usize::from(attach.query.is_some())
                    + usize::from(attach.basic)
                    + usize::from(attach.body_field.is_some())
                    + usize::from(attach.address);
                if ways != 1 {
                    bad(path.clone(), "must have exactly one of header, query, basic, body-field, address");
                }
                if attach.address && attach.format != just_the_value() {
                    bad(format!("{path}.format"), "has no meaning with address");
                }
                if attach.format.matches("{}").count() != 1 {
                    bad(format!("{path}.format"), "must contain {} once");
                }
                if attach.body_field.as_ref().is_some_and(|p| !p.starts_with('/')) {
                    bad(format!("{path}.body-field"), "must be a JSON Pointer such as /secret");
                }
                if attach.header.as_ref().is_some_and(|h| h.bytes().any(|b| b.is_ascii_uppercase())) {
                    bad(format!("{path}.header"), "must be in lower case");
                }
                if attach.hosts.iter().any(|h| !self.hosts.contains(h)) {
                    bad(format!("{path}.hosts"), "must be among the manifest's hosts");
                }
            }
        }
        if let Some(webhook) = &self.webhook {
            webhook.problems(&self.credentials, &self.settings_schema, &mut bad);
        }
        for (name, rate) in
            [("rate-limit", self.rate_limit), ("provider-rate-limit", self.provider_rate_limit)]
        {
            if rate.is_some_and(|r| r.requests == 0 || r.per_seconds == 0) {
                bad(name.to_owned(), "both numbers must be at least 1");
            }
        }
        found
    }

    /// The hosts that this manifest asks for under these settings.
    #[must_use]
    pub fn hosts_asked(&self, settings: &Value) -> BTreeSet<String> {
        let mut hosts = self.hosts_of_settings(settings);
        hosts.extend(self.hosts.iter().cloned());
        hosts
    }

    /// Those among them that the settings name: what a tenant hosts, without which its connection is nothing.
    #[must_use]
    pub fn hosts_of_settings(&self, settings: &Value) -> BTreeSet<String> {
        let host_of = |name: &String| {
            let url = url::Url::parse(settings.get(name)?.as_str()?).ok()?;
            let host = url.host_str()?.to_ascii_lowercase();
            Some(url.port().map_or(host.clone(), |port| format!("{host}:{port}")))
        };
        self.host_settings.iter().filter_map(host_of).collect()
    }
}

/// Numbers joined by dots, so many of them.
fn is_version(text: &str, parts: usize) -> bool {
    text.split('.').count() == parts
        && text.split('.').all(|p| p.parse::<u32>().is_ok_and(|n| n.to_string() == p))
}

#[cfg(test)]
mod tests;
