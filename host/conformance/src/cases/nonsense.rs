//! A provider that answers nonsense: nothing that it says may bring a component down, or lead it astray.

use berth_model::outbound::provider::CallError;
use berth_runtime::egress::interceptor::InterceptedAnswer;
use http::StatusCode;

use super::functions::Function;
use crate::{
    finding::{Finding, Found},
    simulated_provider::Fault,
    subject::{self, Observed, Subject},
};

/// How deep the deep answer is nested.
const DEPTH: usize = 20_000;
/// How long the long answer is, in bytes.
const LONG: usize = 1024 * 1024;

fn json(body: impl Into<String>) -> InterceptedAnswer {
    InterceptedAnswer::new(StatusCode::OK, "application/json", body.into())
}

/// Answers with status 200 that are none.
fn shapes() -> Vec<(&'static str, InterceptedAnswer)> {
    let wrong_types = r#"{"id":[],"status":7,"data":"x","items":{"a":1},"start":"soon","end":null,"error":[[]],"next":{},"uid":false}"#;
    vec![
        ("an empty body", json("")),
        (
            "an HTML page",
            InterceptedAnswer::new(StatusCode::OK, "text/html", "<html><body>Maintenance</body></html>"),
        ),
        ("JSON that stops in the middle", json(r#"{"data":[{"id":"1","start":"2030-01"#)),
        ("an empty object", json("{}")),
        ("an empty list", json("[]")),
        ("null", json("null")),
        ("wrong types", json(wrong_types)),
        ("a list of wrong things", json(r#"{"data":[1,null,"x"],"items":[1,null,"x"],"status":"success"}"#)),
        (
            "numbers out of range",
            json(r#"{"data":{"id":99999999999999999999,"length":-1},"items":[{"id":1e400}]}"#),
        ),
        (
            "bytes that are no text",
            InterceptedAnswer::new(StatusCode::OK, "application/json", vec![0xff_u8, 0xfe, 0x00]),
        ),
        ("very deep nesting", json("[".repeat(DEPTH))),
        ("a very long text", json(format!("\"{}\"", "x".repeat(LONG)))),
        (
            "a redirect",
            InterceptedAnswer::new(StatusCode::FOUND, "text/plain", "")
                .with("location", "https://example.com/"),
        ),
        ("no content", InterceptedAnswer::new(StatusCode::NO_CONTENT, "text/plain", "")),
    ]
}

fn broke_down(observed: &Observed<()>) -> Option<&CallError> {
    observed
        .outcome
        .as_ref()
        .err()
        .filter(|error| !matches!(error, CallError::Provider(_) | CallError::NotOffered(_)))
}

pub(super) async fn survives_malformed_answers(subject: &Subject) -> Found {
    for function in Function::offered(subject.capabilities) {
        for (what, answer) in shapes() {
            let observed = function.call(subject, Fault::Always(answer)).await;
            if let Some(error) = broke_down(&observed) {
                return Err(Finding::fail(format!(
                    "{} broke down on {what}: {}; answer unavailable instead",
                    function.name(),
                    subject::told(error)
                )));
            }
            if observed.requests.is_empty() {
                break;
            }
        }
    }
    Ok(Finding::pass())
}

pub(super) async fn malformed_is_not_definite(subject: &Subject) -> Found {
    let mut asked = false;
    for function in Function::offered(subject.capabilities).filter(|f| f.changes_bookings()) {
        for (what, answer) in shapes() {
            let is_answer = answer.status == StatusCode::OK;
            let observed = function.call(subject, Fault::Always(answer)).await;
            asked |= !observed.requests.is_empty();
            if let Err(error) = &observed.outcome
                && !observed.requests.is_empty()
                && is_answer
                && error.is_definite()
            {
                return Err(Finding::fail(format!(
                    "{} takes {what} for a definite refusal ({error}), but the change may have happened: answer unavailable",
                    function.name()
                )));
            }
        }
    }
    if asked {
        Ok(Finding::pass())
    } else {
        Err(Finding::not_applicable("no change asks the provider anything"))
    }
}

pub(super) async fn asks_its_hosts_only(subject: &Subject) -> Found {
    let mut asked = false;
    for function in Function::offered(subject.capabilities) {
        let observed = function.call(subject, Fault::Always(json("{}"))).await;
        asked |= !observed.egress.is_empty();
        let denied =
            ["scheme", "url", "userinfo", "ip_literal", "host_not_asked", "host_not_granted", "method"];
        if let Some(record) = observed.egress.iter().find(|r| denied.contains(&r.outcome.as_str())) {
            let hint = record.hint.as_deref().unwrap_or("see [hosts] in plugin.toml");
            return Err(Finding::fail(format!(
                "{} asks {} {}, which is refused ({}): {hint}",
                function.name(),
                record.method,
                record.host,
                record.outcome
            )));
        }
    }
    if asked {
        Ok(Finding::pass())
    } else {
        Err(Finding::not_applicable("no function asks the provider anything"))
    }
}

pub(super) async fn sends_no_credential(subject: &Subject) -> Found {
    let mut asked = false;
    let attached: Vec<&str> = subject
        .manifest
        .credentials
        .values()
        .flat_map(|spec| spec.attach.iter().filter_map(|place| place.header.as_deref()))
        .chain(["authorization", "proxy-authorization", "cookie"])
        .collect();
    for function in Function::offered(subject.capabilities) {
        let observed = function.call(subject, Fault::Always(json("{}"))).await;
        asked |= !observed.egress.is_empty();
        let own = observed
            .requests
            .iter()
            .find_map(|r| attached.iter().find(|name| r.headers.contains_key(**name)));
        let refused = observed
            .egress
            .iter()
            .find(|r| ["forbidden_header", "credential_conflict"].contains(&r.outcome.as_str()));
        if own.is_some() || refused.is_some() {
            return Err(Finding::fail(format!(
                "{} sets a header or field that is the host's; leave it out, and declare in plugin.toml how the credential is attached",
                function.name()
            )));
        }
    }
    if asked {
        Ok(Finding::pass())
    } else {
        Err(Finding::not_applicable("no function asks the provider anything"))
    }
}
