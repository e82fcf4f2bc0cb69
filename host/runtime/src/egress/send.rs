//! One request from the component to the provider and back, rule by rule.

use std::{sync::Arc, time::Duration};

use berth_model::{limits, outbound::provider::EgressRecord, time::Instant};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tracing::Instrument as _;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{
    attach::{self, Outgoing},
    client::failure_of,
    failure::{Failure, Refusal},
    gate::Call,
    interceptor::{Intercept, InterceptedAnswer, InterceptedRequest},
    policy::{self, Rules, Target},
    rates::PermitRequest,
    record::Entry,
    scrub::{Echoed, Scrubber},
};
use crate::guest_log::TRIAL;

/// A complete answer.
struct Answer {
    /// `ok`, also for the provider's own errors; `rate_limited` for ours.
    outcome: &'static str,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// Send a request of the component, or refuse it; either way it is on record.
    pub(super) async fn send(
        self: Arc<Self>,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let began = self.gate.clock.now();
        let entry = self.records.begin(request.method(), request.uri());
        let span = if self.gate.is_trial() {
            tracing::debug_span!(target: TRIAL, "egress", plugin = %self.manifest.id)
        } else {
            tracing::info_span!("egress", call = %self.id, plugin = %self.manifest.id, tenant = %self.tenant, request_id = %self.request_id)
        };
        let exchange = tokio::time::timeout(
            self.gate.limits.request,
            self.exchange(entry, request, options).instrument(span.clone()),
        );
        // On the heap: the future holds a whole exchange.
        let result = Box::pin(exchange).await.unwrap_or_else(|_| Err(Failure::RequestTimeout.into()));
        span.in_scope(|| self.finish(entry, began, &result));
        match result {
            Ok(answer) => Ok(response(answer)),
            Err(refusal) => Err(refusal.failure.to_wasi()),
        }
    }

    async fn exchange(
        &self,
        entry: Entry,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Answer, Refusal> {
        let limits = &self.gate.limits;
        let (parts, body) = request.into_parts();
        let rules = Rules {
            manifest: &self.manifest,
            asked: self.asked(),
            granted: &self.granted,
            insecure: &self.gate.insecure_hosts,
            url_bytes_max: limits.url_bytes,
            header_bytes_max: limits.header_bytes,
        };
        let target = policy::decide(&rules, &parts.method, &parts.uri, &parts.headers)?;
        let _permit = self.quota.enter().await?;
        let body = whole_body(body, &parts.headers, limits.body_out_bytes).await?;
        self.records.update(entry, |r| r.bytes_out = u64::try_from(body.len()).unwrap_or(u64::MAX));
        let mut outgoing = Outgoing {
            method: parts.method,
            url: target.url.clone(),
            headers: own_headers(parts.headers),
            body,
        };
        let intercepted =
            self.gate.interceptor.as_deref().map(|interceptor| (interceptor, intercepted(&outgoing)));
        attach::attach(&self.manifest, &self.credentials, &target, &mut outgoing)?;
        let permit =
            PermitRequest { connection: self.connection, manifest: &self.manifest, urgency: self.urgency };
        if let Err(wait) = self.gate.rates.enter(permit, limits.rate_wait).await {
            return Ok(too_many_requests(wait));
        }
        self.provider_asked.note();
        let is_head = outgoing.method == Method::HEAD;
        match intercepted
            .as_ref()
            .map_or(Intercept::Ask, |(interceptor, request)| interceptor.before(request))
        {
            Intercept::Ask => {}
            Intercept::Answer(answer) => {
                self.records.update(entry, |r| r.status = Some(answer.status.as_u16()));
                return clean(of_interceptor(answer), self.scrubber(), is_head).await;
            }
            Intercept::Break => return Err(Failure::Terminated.into()),
        }
        let client = self.gate.clients.get(self.tenant, &target, self.gate.clock.now()).await?;
        let answer = self.transfer(&client, &target, outgoing, options).await?;
        self.records.update(entry, |r| {
            r.bytes_in = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
            r.status = Some(answer.status.as_u16());
        });
        let answer = clean(answer, self.scrubber(), is_head).await?;
        let Some((interceptor, request)) = intercepted else { return Ok(answer) };
        let answer = InterceptedAnswer { status: answer.status, headers: answer.headers, body: answer.body };
        interceptor.after(&request, answer).map(of_interceptor).ok_or_else(|| Failure::Terminated.into())
    }

    /// Send, and take the whole answer. No error of the client leaves this function: they hold the URL.
    async fn transfer(
        &self,
        client: &reqwest::Client,
        target: &Target,
        outgoing: Outgoing,
        options: RequestOptions,
    ) -> Result<Answer, Refusal> {
        let limits = &self.gate.limits;
        let clamped = |asked: Option<Duration>, max: Duration| asked.map_or(max, |a| a.min(max));
        let first_byte = clamped(options.connect_timeout, limits.connect)
            + clamped(options.first_byte_timeout, limits.first_byte);
        let between_bytes = clamped(options.between_bytes_timeout, limits.between_bytes);

        let request =
            client.request(outgoing.method, outgoing.url).headers(outgoing.headers).body(outgoing.body);
        let sent = tokio::time::timeout(first_byte, request.send()).await;
        let mut response = sent.map_err(|_| Failure::FirstByteTimeout)?.map_err(|error| {
            if error.is_connect() {
                self.gate.clients.forget(self.tenant, target);
            }
            failure_of(&error)
        })?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        if policy::header_bytes(&headers) > limits.header_bytes {
            return Err(Failure::AnswerHeadersTooLarge.into());
        }
        let plain = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"identity");
        if !headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
            return Err(Refusal::with_hint(
                Failure::ContentCoding,
                "the provider compresses although it was asked not to",
            ));
        }
        let mut body = BytesMut::new();
        // Ends: every turn adds bytes below a limit, or ends by the timeout of the whole request.
        while let Some(piece) = tokio::time::timeout(between_bytes, response.chunk())
            .await
            .map_err(|_| Failure::BetweenBytesTimeout)?
            .map_err(|error| failure_of(&error))?
        {
            if body.len() + piece.len() > limits.body_in_bytes {
                return Err(Failure::AnswerTooLarge.into());
            }
            self.quota.take_body_in(piece.len())?;
            body.extend_from_slice(&piece);
        }
        Ok(Answer { outcome: "ok", status, headers, body: body.freeze() })
    }

    fn finish(&self, entry: Entry, began: Instant, result: &Result<Answer, Refusal>) {
        let elapsed_micros = self.gate.clock.now().micros_since(began).max(0);
        let elapsed_ms = u64::try_from(elapsed_micros / 1_000).unwrap_or(0);
        let (outcome, hint) = match result {
            Ok(answer) => (answer.outcome, None),
            Err(refusal) => (refusal.failure.as_str(), refusal.hint.clone()),
        };
        let is_trial = self.gate.is_trial();
        if !is_trial {
            metrics::counter!("berth_egress_requests_total", "plugin" => self.manifest.id.to_string(), "outcome" => outcome)
                .increment(1);
        }
        let record = self.records.update(entry, |record| {
            outcome.clone_into(&mut record.outcome);
            record.hint = hint;
            record.elapsed_ms = elapsed_ms;
        });
        let Some(EgressRecord { method, host, path, status, hint, bytes_in, .. }) = record else { return };
        if is_trial {
            tracing::debug!(target: TRIAL, %method, %host, %path, status, outcome, elapsed_ms, hint, "request of a component");
        } else if outcome == "ok" {
            tracing::debug!(%method, %host, %path, status, outcome, elapsed_ms, bytes_in, "request of a component");
        } else {
            tracing::warn!(%method, %host, %path, status, outcome, elapsed_ms, hint, "request of a component failed");
        }
    }
}

/// What an interceptor sees of a request.
fn intercepted(outgoing: &Outgoing) -> InterceptedRequest {
    InterceptedRequest {
        method: outgoing.method.clone(),
        url: outgoing.url.clone(),
        headers: outgoing.headers.clone(),
        body: outgoing.body.clone(),
    }
}

fn of_interceptor(answer: InterceptedAnswer) -> Answer {
    Answer { outcome: "ok", status: answer.status, headers: answer.headers, body: answer.body }
}

/// The request body, complete and as long as announced.
async fn whole_body(body: WasiBody, headers: &HeaderMap, bytes_max: usize) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::with_hint(Failure::BodyOutTooLarge, format!("send at most {bytes_max} bytes in one request"))
    };
    let body = Limited::new(body, bytes_max).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { too_large() } else { Failure::BodyOutIncomplete.into() }
    })?;
    let body = body.to_bytes();
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<usize>().ok());
    if headers.contains_key(header::CONTENT_LENGTH) && announced != Some(body.len()) {
        return Err(Failure::BodyOutIncomplete.into());
    }
    Ok(body)
}

/// The component's headers without those that the client sets from URL and body, and with no offer of compression: a
/// credential could not be found in compressed bytes.
fn own_headers(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

/// Without credentials, and with the length that the body has now.
async fn clean(mut answer: Answer, scrubber: Arc<Scrubber>, is_head: bool) -> Result<Answer, Refusal> {
    scrubber.headers(&mut answer.headers);
    let body = Vec::from(std::mem::take(&mut answer.body));
    let searched = if body.len() > limits::EGRESS_SEARCH_INLINE_BYTES_MAX {
        // Not joined only if the process ends or the search failed; then nobody has seen what is in the answer.
        tokio::task::spawn_blocking(move || scrubber.body(body)).await.unwrap_or(Err(Echoed))
    } else {
        scrubber.body(body)
    };
    let body = searched.map_err(|_| Failure::CredentialEchoed)?;
    if !is_head && answer.headers.remove(header::CONTENT_LENGTH).is_some() {
        answer.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    answer.body = body.into();
    Ok(answer)
}

/// A rate is used up, or the connection is paused. Said as a provider says it, so that components need one way to understand it;
/// `wasi:http` has no error that carries a time to wait.
fn too_many_requests(wait: Duration) -> Answer {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let body = r#"{"title":"Too many requests","detail":"The provider was not asked: a rate of the plugin's manifest is used up, or the provider has said to wait."}"#;
    Answer {
        outcome: Failure::RateLimited.as_str(),
        status: StatusCode::TOO_MANY_REQUESTS,
        headers,
        body: Bytes::from_static(body.as_bytes()),
    }
}

fn response(answer: Answer) -> Response<WasiBody> {
    let body = Full::new(answer.body).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
