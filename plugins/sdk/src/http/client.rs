//! A client of one API: base URL, headers for every request, and the provider's own rules for waiting and refusing.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    live::Live,
    message::{Method, Request, Response},
    query,
    retry::retry_after_ms,
    status::error_of,
    transport::{SendError, Transport},
};
use crate::{
    Result, limits, log,
    types::{Instant, ProviderError},
};

/// How long to wait after a 429 or 5xx without `Retry-After`, in milliseconds: for providers with headers of their own.
pub type WaitHint = fn(&Response, Instant) -> Option<u64>;
/// The provider's own reading of an error answer; none for the usual one ([`error_of`]).
pub type ErrorHint = fn(&Response) -> Option<ProviderError>;

/// A client of one API.
#[derive(Debug, Clone)]
pub struct Client<T = Live> {
    transport: T,
    base: String,
    headers: Vec<(String, String)>,
    wait: WaitHint,
    error: ErrorHint,
}

impl Client {
    /// For the API at `base`, over the network; in a native test over the thread's script.
    #[must_use]
    pub fn live(base: &str) -> Self {
        Self::new(Live, base)
    }
}

impl<T: Transport> Client<T> {
    /// For the API at `base` (`https://api.example.com/v1`, with or without a slash at the end).
    #[must_use]
    pub fn new(transport: T, base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { transport, base, headers: Vec::new(), wait: |_, _| None, error: |_| None }
    }

    /// A header for every request; its name in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The provider's own rate limit headers.
    #[must_use]
    pub fn wait_hint(mut self, hint: WaitHint) -> Self {
        self.wait = hint;
        self
    }

    /// The provider's own errors.
    #[must_use]
    pub fn error_hint(mut self, hint: ErrorHint) -> Self {
        self.error = hint;
        self
    }

    /// The clock.
    pub fn now(&self) -> Instant {
        self.transport.now()
    }

    /// Begin a request. `path` begins with a slash; encode what you put into it ([`super::encode`]).
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder<'_, T> {
        let url = format!("{}{path}", self.base);
        let request = Request { method, url, headers: self.headers.clone(), body: None };
        RequestBuilder { client: self, request, refused: None }
    }
    /// `GET`.
    pub fn get(&self, path: &str) -> RequestBuilder<'_, T> {
        self.request(Method::Get, path)
    }
    /// `POST`.
    pub fn post(&self, path: &str) -> RequestBuilder<'_, T> {
        self.request(Method::Post, path)
    }
    /// `PUT`.
    pub fn put(&self, path: &str) -> RequestBuilder<'_, T> {
        self.request(Method::Put, path)
    }
    /// `PATCH`.
    pub fn patch(&self, path: &str) -> RequestBuilder<'_, T> {
        self.request(Method::Patch, path)
    }
    /// `DELETE`.
    pub fn delete(&self, path: &str) -> RequestBuilder<'_, T> {
        self.request(Method::Delete, path)
    }
}

/// A request in the making.
#[must_use]
pub struct RequestBuilder<'a, T = Live> {
    client: &'a Client<T>,
    request: Request,
    refused: Option<ProviderError>,
}

impl<T: Transport> RequestBuilder<'_, T> {
    /// A query parameter.
    pub fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        query::push(&mut self.request.url, name, value.as_ref());
        self
    }

    /// A query parameter, if there is one.
    pub fn query_some(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// A piece of query that is encoded already, for providers that want characters in it as they are.
    pub fn query_raw(mut self, piece: &str) -> Self {
        self.request.url.push(if self.request.url.contains('?') { '&' } else { '?' });
        self.request.url.push_str(piece);
        self
    }

    /// A header; its name in lower case. It replaces the client's own of that name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.retain(|(n, _)| n != name);
        self.request.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body("application/json", bytes),
            Err(e) => {
                self.refused = Some(ProviderError::invalid("", format!("not writable as JSON: {e}")));
                self
            }
        }
    }

    /// A body of another kind.
    pub fn body(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        if bytes.len() <= limits::BODY_OUT_BYTES_MAX {
            self.request.body = Some(bytes);
        } else {
            self.refused = Some(ProviderError::invalid("", "the request is larger than 1 MiB"));
        }
        self.header("content-type", content_type)
    }

    /// Send it and take any answer, whatever its status.
    pub fn send_any(self) -> Result<Response> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        let method = self.request.method;
        self.client.transport.send(&self.request).map_err(|e| match e {
            SendError::Denied(why) => ProviderError::Forbidden(why),
            SendError::Failed(why) => {
                log::warn(&format!("{method} got no answer: {why}"));
                ProviderError::Unavailable(None)
            }
            // A question would be answered alike the next time; a change may have been made.
            SendError::TooLarge if method.is_question() => ProviderError::vendor(
                200,
                "answer-too-large",
                "The answer is larger than 4 MiB, which is the most that Berth takes.",
            ),
            SendError::TooLarge => ProviderError::Unavailable(None),
        })
    }

    /// Send it; any status but 2xx is an error.
    pub fn send(self) -> Result<Response> {
        let client = self.client;
        let response = self.send_any()?;
        if response.is_success() {
            return Ok(response);
        }
        let now = client.transport.now();
        let wait = || retry_after_ms(&response, now).or_else(|| (client.wait)(&response, now));
        Err((client.error)(&response).unwrap_or_else(|| error_of(&response, wait())))
    }

    /// Send it and read the JSON answer.
    pub fn fetch<D: DeserializeOwned>(self) -> Result<D> {
        self.send()?.json()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::Scripted;

    #[test]
    fn a_request_carries_query_headers_and_body() {
        let script = Scripted::at(0).on("POST", "/v1/things?q=a%20b", 200, r#"{"ok":true}"#);
        let client = Client::new(&script, "https://api.acme.example/v1/").header("x-version", "1");
        let answer: Value = client
            .post("/things")
            .query("q", "a b")
            .query_some("none", None::<&str>)
            .header("x-version", "2")
            .json(&json!({ "n": 1 }))
            .fetch()
            .unwrap();
        assert_eq!(answer, json!({ "ok": true }));
        let sent = &script.requests()[0];
        assert_eq!(sent.url, "https://api.acme.example/v1/things?q=a%20b");
        let headers = [("x-version", "2"), ("content-type", "application/json")];
        assert_eq!(sent.headers, headers.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(script.body(0), json!({ "n": 1 }));
        script.finish();
    }

    #[test]
    fn no_answer_and_junk_are_unavailable_and_a_denial_is_not() {
        let script = Scripted::at(0)
            .on_failure("GET", "/a", SendError::Failed("reset".to_owned()))
            .on("GET", "/a", 200, "<html>")
            .on_failure("GET", "/a", SendError::Denied("not granted".to_owned()))
            .on_failure("GET", "/a", SendError::TooLarge);
        let client = Client::new(&script, "https://api.acme.example");
        for expected in [
            ProviderError::Unavailable(None),
            ProviderError::Unavailable(None),
            ProviderError::Forbidden("not granted".to_owned()),
        ] {
            assert_eq!(client.get("/a").fetch::<Value>(), Err(expected));
        }
        let named = client.get("/a").send();
        assert!(matches!(named, Err(ProviderError::Vendor(e)) if e.code == "answer-too-large"));
        let script = Scripted::at(0).on_failure("POST", "/a", SendError::TooLarge);
        let client = Client::new(&script, "https://api.acme.example");
        assert_eq!(client.post("/a").send(), Err(ProviderError::Unavailable(None)), "it may be done");
    }

    #[test]
    fn retry_after_comes_before_the_providers_own_hint() {
        let script = Scripted::at(0)
            .on_with("GET", "/a", 429, &[("retry-after", "3"), ("x-reset", "9")], "")
            .on_with("GET", "/a", 429, &[("x-reset", "9")], "")
            .on("GET", "/a", 418, "");
        let client = Client::new(&script, "https://api.acme.example")
            .wait_hint(|r, _| r.header("x-reset")?.parse().ok())
            .error_hint(|r| (r.status == 418).then(ProviderError::slot_taken));
        for expected in [
            ProviderError::RateLimited(Some(3_000)),
            ProviderError::RateLimited(Some(9)),
            ProviderError::slot_taken(),
        ] {
            assert_eq!(client.get("/a").send(), Err(expected));
        }
    }

    #[test]
    fn a_body_that_is_too_large_is_not_sent() {
        let script = Scripted::at(0);
        let client = Client::new(&script, "https://api.acme.example");
        let sent = client.post("/a").json(&"x".repeat(limits::BODY_OUT_BYTES_MAX)).send();
        assert!(matches!(sent, Err(ProviderError::Invalid(_))));
        assert!(script.requests().is_empty());
    }
}
