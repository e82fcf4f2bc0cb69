//! What a component says of itself.

use berth_model::outbound::provider::Providers as _;
use serde_json::Value;

use crate::{
    finding::{Finding, Found},
    simulated_provider::Fault,
    subject::{Subject, call},
};

/// Names of settings that are secrets by another name.
const SECRET_NAMES: &[&str] =
    &["secret", "password", "passwd", "token", "api_key", "apikey", "api-key", "private_key", "credential"];

fn properties(subject: &Subject) -> impl Iterator<Item = (&String, &Value)> {
    subject.manifest.settings_schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

pub(super) fn is_described(subject: &Subject) -> Found {
    if subject.manifest.description.trim().is_empty() {
        return Err(Finding::fail("plugin.toml has no description: say in one sentence what it connects"));
    }
    let untitled =
        properties(subject).find(|(_, schema)| schema.get("title").or(schema.get("description")).is_none());
    match untitled {
        Some((name, _)) => Err(Finding::fail(format!(
            "the setting {name} has neither title nor description, so nobody knows what to enter: add settings-schema.properties.{name}.title"
        ))),
        None => Ok(Finding::pass()),
    }
}

pub(super) fn asks_for_no_secret(subject: &Subject) -> Found {
    let is_secret = |(name, schema): &(&String, &Value)| {
        let name = name.to_ascii_lowercase();
        SECRET_NAMES.iter().any(|secret| name.contains(secret))
            || schema.get("format").and_then(Value::as_str) == Some("password")
            || schema.get("writeOnly").and_then(Value::as_bool) == Some(true)
    };
    match properties(subject).find(is_secret) {
        Some((name, _)) => Err(Finding::fail(format!(
            "the setting {name} looks like a secret, and components can read settings: declare it under [credentials] with how it is attached"
        ))),
        None => Ok(Finding::pass()),
    }
}

pub(super) fn verifies_what_it_handles(subject: &Subject) -> Found {
    match (subject.capabilities.webhooks, &subject.manifest.webhook) {
        (true, None) => Err(Finding::fail(
            "exports webhooks, but plugin.toml has no [webhook]: without it every message is refused",
        )),
        (false, Some(_)) => Err(Finding::fail("has a [webhook], but does not export webhooks")),
        (true, Some(_)) => Ok(Finding::pass()),
        (false, None) => Err(Finding::not_applicable("takes no webhooks")),
    }
}

pub(super) async fn spans_are_pure(subject: &Subject) -> Found {
    if !subject.capabilities.availability {
        return Err(Finding::not_applicable("has no availability"));
    }
    let observed = call!(subject, Fault::Unreachable, |p, cx| p.query_spans(cx));
    if !observed.egress.is_empty() {
        return Err(Finding::fail("spans sends a request"));
    }
    let spans = observed.outcome.map_err(|error| Finding::fail(format!("spans: {error}")))?;
    if spans.free_slots_days == 0 && spans.busy_days == 0 {
        return Err(Finding::fail("exports availability, but both spans are 0: leave the interface out"));
    }
    Ok(Finding::pass())
}
