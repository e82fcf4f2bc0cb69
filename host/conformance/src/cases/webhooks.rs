//! Messages from the provider.

use berth_model::outbound::provider::{CallError, Providers as _, WebhookOutcome, WebhookRequest};

use super::functions;
use crate::{
    finding::{Finding, Found},
    setup::Webhook,
    simulated_provider::Fault,
    subject::{self, Observed, Subject, call},
};

async fn handle(subject: &Subject, message: &Webhook, fault: Fault) -> Observed<WebhookOutcome> {
    let request = WebhookRequest {
        method: "POST".to_owned(),
        headers: message.headers.clone().into_iter().collect(),
        query: message.query.clone(),
        body: message.body.clone().into_bytes(),
        received_at: subject.now(),
        subscription: None,
    };
    call!(subject, fault, |p, cx| p.handle_webhook(cx, request))
}

pub(super) async fn survives_unknown_messages(subject: &Subject) -> Found {
    if !subject.capabilities.webhooks {
        return Err(Finding::not_applicable("takes no webhooks"));
    }
    let deep = "[".repeat(20_000);
    for body in [
        "",
        "null",
        "{}",
        "[]",
        "42",
        "no JSON",
        r#"{"type":7,"event":[],"payload":"x"}"#,
        r#"{"hello":"world"}"#,
        &deep,
    ] {
        let message = Webhook { body: body.to_owned(), ..Webhook::default() };
        let observed = handle(subject, &message, Fault::Unreachable).await;
        match observed.outcome {
            Ok(_) | Err(CallError::Provider(_)) => {}
            Err(error) => {
                let shown: String = body.chars().take(40).collect();
                return Err(Finding::fail(format!(
                    "handle broke down on the body {shown:?}: {}",
                    subject::told(&error)
                )));
            }
        }
    }
    Ok(Finding::pass())
}

pub(super) async fn reads_the_same_twice(subject: &Subject) -> Found {
    if !subject.capabilities.webhooks {
        return Err(Finding::not_applicable("takes no webhooks"));
    }
    if subject.setup.webhooks.is_empty() {
        return Err(Finding::inconclusive("conformance.toml has no [[webhooks]] samples"));
    }
    let mut events = 0;
    for message in &subject.setup.webhooks {
        let first = handle(subject, message, Fault::None).await;
        let second = handle(subject, message, Fault::None).await;
        let changing =
            first.requests.iter().chain(&second.requests).find(|r| subject.simulated.may_change(r));
        if let Some(request) = changing {
            return Err(Finding::fail(format!(
                "handle sends {} {}; it must change nothing",
                request.method,
                request.url.path()
            )));
        }
        let first = first.outcome.map_err(|error| Finding::fail(format!("handle: {error}")))?;
        let second = second.outcome.map_err(|error| Finding::fail(format!("handle: {error}")))?;
        if first != second {
            return Err(Finding::fail("handle reads the same message differently the second time"));
        }
        events += first.events.len();
    }
    if events == 0 {
        return Err(Finding::inconclusive("none of the samples of conformance.toml is an event"));
    }
    Ok(Finding::pass())
}

pub(super) async fn subscribes_once(subject: &Subject) -> Found {
    if !subject.capabilities.webhooks {
        return Err(Finding::not_applicable("takes no webhooks"));
    }
    let subscribe = async || {
        let request = functions::subscribe(subject);
        call!(subject, Fault::None, |p, cx| p.subscribe(cx, request)).outcome
    };
    let first = match subscribe().await {
        Ok(subscription) => subscription,
        Err(CallError::Provider(berth_model::outbound::provider::ProviderError::Unsupported { .. })) => {
            return Err(Finding::not_applicable("subscriptions are made by hand"));
        }
        Err(error) => return Err(Finding::fail(format!("subscribe: {error}"))),
    };
    let second =
        subscribe().await.map_err(|error| Finding::fail(format!("the second subscribe: {error}")))?;
    if first.id != second.id {
        return Err(Finding::fail("two subscriptions for one callback: return the one that exists"));
    }
    for time in ["unsubscribe", "the second unsubscribe"] {
        let subscription = first.clone();
        let observed = call!(subject, Fault::None, |p, cx| p.unsubscribe(cx, subscription));
        observed.outcome.map_err(|error| Finding::fail(format!("{time}: {error}")))?;
    }
    Ok(Finding::pass())
}
