//! Requests of the host itself to token endpoints: the same addresses, times and sizes as for components, and nothing of what
//! is sent or answered in any log.

use berth_model::{
    boxed::BoxFuture,
    limits,
    outbound::provider::{TokenEndpoint, TokenReply, TokenRequest},
};
use http::{Uri, header};

use super::{client::failure_of, failure::Failure, gate::Gate, policy};

impl TokenEndpoint for Gate {
    fn ask(&self, request: TokenRequest) -> BoxFuture<'_, Result<TokenReply, String>> {
        Box::pin(async move {
            let host = request.url.host_str().unwrap_or_default().to_owned();
            let asked = tokio::time::timeout(self.limits.request, self.post_form(request)).await;
            let result = asked.unwrap_or(Err(Failure::RequestTimeout));
            let outcome = result.as_ref().map_or_else(|failure| failure.as_str(), |_| "ok");
            metrics::counter!("berth_token_requests_total", "outcome" => outcome).increment(1);
            tracing::debug!(host, outcome, "request to a token endpoint");
            result.map_err(|failure| format!("{host}: {}", failure.as_str()))
        })
    }
}

impl Gate {
    async fn post_form(&self, request: TokenRequest) -> Result<TokenReply, Failure> {
        let uri: Uri = request.url.as_str().parse().map_err(|_| Failure::Url)?;
        let target = policy::checked(&self.insecure_hosts, self.limits.url_bytes, &uri)
            .map_err(|refusal| refusal.failure)?;
        let client = self
            .clients
            .get(request.tenant, &target, self.clock.now())
            .await
            .map_err(|refusal| refusal.failure)?;
        let mut sent = client
            .post(target.url.clone())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encoded(&request));
        if let Some((user, password)) = &request.basic {
            sent = sent.basic_auth(user, Some(password.expose()));
        }
        let answered = tokio::time::timeout(self.limits.first_byte, sent.send());
        let mut response = answered.await.map_err(|_| Failure::FirstByteTimeout)?.map_err(|error| {
            self.clients.forget(request.tenant, &target);
            failure_of(&error)
        })?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // Ends: every turn adds bytes below a limit, or ends by the timeout of the whole request.
        while let Some(piece) = response.chunk().await.map_err(|error| failure_of(&error))? {
            if body.len() + piece.len() > limits::OAUTH_ANSWER_BYTES_MAX {
                return Err(Failure::AnswerTooLarge);
            }
            body.extend_from_slice(&piece);
        }
        Ok(TokenReply { status, body })
    }
}

fn encoded(request: &TokenRequest) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &request.form {
        form.append_pair(name, value.expose());
    }
    form.finish()
}
