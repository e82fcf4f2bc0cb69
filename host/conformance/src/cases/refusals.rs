//! How a component takes the usual refusals of a provider that answers every request with one.

use berth_model::outbound::provider::{CallError, ProviderError};
use berth_runtime::egress::interceptor::InterceptedAnswer;
use http::StatusCode;

use super::functions::Function;
use crate::{
    finding::{Finding, Found},
    simulated_provider::Fault,
    subject::{self, Observed, Subject},
};

fn answer(status: StatusCode) -> InterceptedAnswer {
    InterceptedAnswer::new(status, "application/json", "{}")
}

/// Call every function that asks the provider, and judge each outcome. A function that asks nothing cannot be judged.
async fn each(
    subject: &Subject,
    fault: &Fault,
    applies: impl Fn(Function) -> bool,
    judge: impl Fn(Function, &Observed<()>) -> Option<String>,
) -> Found {
    let mut asked = false;
    for function in Function::offered(subject.capabilities).filter(|function| applies(*function)) {
        let observed = function.call(subject, fault.clone()).await;
        if observed.requests.is_empty() {
            continue;
        }
        asked = true;
        if let Some(wrong) = judge(function, &observed) {
            return Err(Finding::fail(format!("{}: {wrong}", function.name())));
        }
    }
    if asked {
        Ok(Finding::pass())
    } else {
        Err(Finding::not_applicable("no function asks the provider anything"))
    }
}

fn told(observed: &Observed<()>) -> String {
    match &observed.outcome {
        Ok(()) => "an answer".to_owned(),
        Err(error) => subject::told(error),
    }
}

fn provider_error(observed: &Observed<()>) -> Option<&ProviderError> {
    match &observed.outcome {
        Err(CallError::Provider(error)) => Some(error),
        _ => None,
    }
}

pub(super) async fn unauthorised(subject: &Subject) -> Found {
    each(
        subject,
        &Fault::Always(answer(StatusCode::UNAUTHORIZED)),
        |_| true,
        |_, observed| {
            let right = matches!(provider_error(observed), Some(ProviderError::Unauthorised));
            (!right).then(|| format!("401 became {}; it must become unauthorised", told(observed)))
        },
    )
    .await
}

pub(super) async fn forbidden(subject: &Subject) -> Found {
    each(
        subject,
        &Fault::Always(answer(StatusCode::FORBIDDEN)),
        |f| f == Function::Validate,
        |_, observed| {
            let right = matches!(provider_error(observed), Some(ProviderError::Forbidden(_)));
            (!right).then(|| format!("403 became {}; it must become forbidden", told(observed)))
        },
    )
    .await
}

pub(super) async fn not_found(subject: &Subject) -> Found {
    each(
        subject,
        &Fault::Always(answer(StatusCode::NOT_FOUND)),
        |f| f == Function::Get,
        |_, observed| {
            let right = matches!(provider_error(observed), Some(ProviderError::NotFound));
            (!right).then(|| format!("404 became {}; it must become not-found", told(observed)))
        },
    )
    .await
}

pub(super) async fn rate_limited(subject: &Subject) -> Found {
    let fault = Fault::Always(answer(StatusCode::TOO_MANY_REQUESTS).with("retry-after", "7"));
    each(
        subject,
        &fault,
        |_| true,
        |_, observed| {
            let right = matches!(
                provider_error(observed),
                Some(ProviderError::RateLimited { retry_after_ms: Some(7_000) })
            );
            if !right {
                return Some(format!(
                    "429 with Retry-After: 7 became {}; it must become rate-limited(7000)",
                    told(observed)
                ));
            }
            let more = observed.requests.len().saturating_sub(1);
            (more > 0).then(|| format!("asked {more} times more after the 429"))
        },
    )
    .await
}

pub(super) async fn rate_limited_without_a_time(subject: &Subject) -> Found {
    each(
        subject,
        &Fault::Always(answer(StatusCode::TOO_MANY_REQUESTS)),
        |_| true,
        |_, observed| {
            let right = matches!(provider_error(observed), Some(ProviderError::RateLimited { .. }));
            (!right).then(|| format!("429 became {}; it must become rate-limited", told(observed)))
        },
    )
    .await
}

fn is_unavailable(observed: &Observed<()>) -> bool {
    matches!(provider_error(observed), Some(ProviderError::Unavailable { .. }))
}

pub(super) async fn server_error(subject: &Subject) -> Found {
    let mut last = Ok(Finding::pass());
    for status in
        [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE]
    {
        let fault = Fault::Always(InterceptedAnswer::new(status, "text/html", "<html>sorry</html>"));
        last = each(
            subject,
            &fault,
            |_| true,
            |_, observed| {
                (!is_unavailable(observed)).then(|| {
                    format!("{} became {}; it must become unavailable", status.as_u16(), told(observed))
                })
            },
        )
        .await;
        last.clone()?;
    }
    last
}

pub(super) async fn unreachable(subject: &Subject) -> Found {
    each(
        subject,
        &Fault::Unreachable,
        |_| true,
        |_, observed| {
            (!is_unavailable(observed))
                .then(|| format!("a broken connection became {}; it must become unavailable", told(observed)))
        },
    )
    .await
}
