//! What is particular to a provider: `conformance.toml` beside the plugin's manifest.

use std::collections::{BTreeMap, BTreeSet};

use berth_model::{
    connections::secret::{Credentials, Secret},
    plugins::manifest::{CredentialKind, Manifest},
    time::Instant,
};
use serde::Deserialize;
use serde_json::Value;

use crate::Provider;

/// The set-up of a check. Everything has a default that fits a plugin whose settings all have one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Setup {
    /// Settings of the connection; the schema's defaults are filled in.
    pub settings: serde_json::Map<String, Value>,
    /// What is booked: the provider's id of an event type. Without it cases about bookings are inconclusive.
    pub event_type: Option<String>,
    /// Answers to the event type's questions, by name.
    pub answers: serde_json::Map<String, Value>,
    /// Starts that can be booked (RFC 3339, ascending), for a provider that tells no free slots; those that it calls busy are passed
    /// over. Two dozen are enough for all cases, which take up to three each. The clock goes two months on during a run.
    pub starts: Vec<Instant>,
    /// Length of a booking in minutes, with `starts`.
    pub length_minutes: Option<u32>,
    /// Where free slots are looked for (RFC 3339); a day after the start of the check if not given.
    pub from: Option<Instant>,
    /// A start within a day of a change of clocks, with the zone of the customer, that can be booked.
    pub clock_change: Option<ClockChange>,
    /// Ends of the paths of POST requests that only ask and change nothing: `/freeBusy`. No change is looked for in them.
    pub questions: Vec<String>,
    /// A cursor that the provider does not take any more.
    pub expired_cursor: Option<String>,
    /// Whose time is closed, for `blocks`: the provider's id of a calendar, or of a person there.
    pub calendar: Option<String>,
    /// A public booking link, for `catalog.resolve-link`.
    pub link: Option<String>,
    /// Sample messages, for `webhooks.handle`.
    pub webhooks: Vec<Webhook>,
    /// Against the real service or a simulator.
    pub live: Live,
}

/// A booking near a change of clocks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClockChange {
    /// Where free slots are looked for.
    pub from: Instant,
    /// IANA zone of the customer.
    pub time_zone: String,
}

/// A message as the provider sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Webhook {
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Query string without the question mark.
    pub query: String,
    /// The body.
    pub body: String,
}

/// How the real service is reached.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Live {
    /// Settings in place of the above: a sandbox's address, say.
    pub settings: serde_json::Map<String, Value>,
    /// Values of the credentials. Better from the environment: `BERTH_CHECK_<NAME>`.
    pub credentials: BTreeMap<String, String>,
    /// Hosts that may be reached without TLS or on private addresses, as `host:port`.
    pub insecure_hosts: BTreeSet<String>,
}

/// What is wrong with a set-up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Not the TOML that is expected.
    #[error("the set-up cannot be read: {0}")]
    Unreadable(String),
    /// The component's settings schema refuses the settings.
    #[error("the settings of the set-up are not what the plugin's settings-schema asks for: {0}")]
    Settings(String),
}

impl Setup {
    /// Read a `conformance.toml`.
    pub fn parse(text: &str) -> Result<Self, SetupError> {
        toml::from_str(text).map_err(|error| SetupError::Unreadable(error.to_string()))
    }

    /// The connection's settings for this provider.
    pub(crate) fn settings(&self, manifest: &Manifest, provider: &Provider) -> Result<Value, SetupError> {
        let mut settings = self.settings.clone();
        match provider {
            Provider::Live => settings.extend(self.live.settings.clone()),
            Provider::Nobody => fill_with_examples(&manifest.settings_schema, &mut settings),
            Provider::Recording(_) => {}
        }
        berth_settings::check(manifest, &Value::Object(settings)).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            SetupError::Settings(problems.join("; "))
        })
    }

    /// Credentials: the live ones, or made-up ones for whatever is required or made by the host.
    pub(crate) fn credentials(&self, manifest: &Manifest, provider: &Provider) -> Credentials {
        let live = matches!(provider, Provider::Live);
        // Of two ways to log in one is enough.
        let first =
            manifest.credentials.iter().find(|(_, c)| c.kind != CredentialKind::Generated).map(|(n, _)| n);
        let made_up = |name: &String| {
            let text = format!("made-up-{name}-0123456789abcdef");
            let is_address =
                manifest.credentials.get(name).is_some_and(|c| c.attach.iter().any(|a| a.address));
            // Where everything else is asked for: an address of another server is refused.
            let server = self.settings(manifest, provider).ok().filter(|_| is_address);
            let server = server.and_then(|settings| manifest.hosts_asked(&settings).pop_first());
            Secret::new(server.map_or(text.clone(), |host| format!("https://{host}/{text}")))
        };
        let of = |(name, spec): (&String, &berth_model::plugins::manifest::CredentialSpec)| {
            let value = match self.live.credentials.get(name).filter(|_| live) {
                Some(given) => Secret::new(given.clone()),
                None if spec.kind == CredentialKind::Generated => made_up(name),
                None if !live && (spec.required || Some(name) == first) => made_up(name),
                None => return None,
            };
            Some((name.clone(), value))
        };
        manifest.credentials.iter().filter_map(of).collect()
    }

    pub(crate) fn insecure_hosts(&self, provider: &Provider) -> BTreeSet<String> {
        match provider {
            Provider::Live => self.live.insecure_hosts.clone(),
            Provider::Nobody | Provider::Recording(_) => BTreeSet::new(),
        }
    }
}

/// Required settings without a default take the first of their `examples`: where nobody plays the provider, any value of the right form
/// will do, and a component that has such a setting is tried at its installation like any other.
fn fill_with_examples(schema: &Value, settings: &mut serde_json::Map<String, Value>) {
    for name in
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    {
        let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) else {
            continue;
        };
        if let (None, Some(example)) = (property.get("default"), property.pointer("/examples/0")) {
            settings.entry(name).or_insert_with(|| example.clone());
        }
    }
}
