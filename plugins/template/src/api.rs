//! The requests of Acme's API, one function each. Answers are the JSON of the body.
//!
//! Acme answers 409 with `{"code": "taken"}` for a time that is taken; everything else follows the usual statuses, which the
//! SDK turns into errors. Its POSTs take an `idempotency-key`.

use berth_sdk::{
    Result,
    http::{Client, Response, encode},
    time,
    types::{Interval, ProviderError},
};
use serde_json::{Value, json};

/// The API of one account.
pub(crate) struct Api {
    client: Client,
}

impl Api {
    pub(crate) fn new(base_url: &str) -> Self {
        Self { client: Client::live(base_url).error_hint(taken) }
    }

    pub(crate) fn account(&self) -> Result<Value> {
        self.client.get("/v1/account").fetch()
    }

    pub(crate) fn services(&self, page: Option<&str>, limit: u32) -> Result<Value> {
        self.client.get("/v1/services").query("limit", limit.to_string()).query_some("page", page).fetch()
    }

    pub(crate) fn openings(&self, service: &str, within: Interval) -> Result<Value> {
        self.client
            .get(&format!("/v1/services/{}/openings", encode(service)))
            .query("from", time::format(within.start))
            .query("to", time::format(within.end))
            .fetch()
    }

    pub(crate) fn create_appointment(&self, key: &str, body: &Value) -> Result<Value> {
        self.client.post("/v1/appointments").header("idempotency-key", key).json(body).fetch()
    }

    pub(crate) fn appointment(&self, id: &str) -> Result<Value> {
        self.client.get(&format!("/v1/appointments/{}", encode(id))).fetch()
    }

    pub(crate) fn appointments_with(&self, reference: &str) -> Result<Value> {
        self.client.get("/v1/appointments").query("reference", reference).fetch()
    }

    pub(crate) fn changes(&self, cursor: Option<&str>, limit: u32) -> Result<Value> {
        let request = self.client.get("/v1/appointments/changes").query("limit", limit.to_string());
        request.query_some("cursor", cursor).fetch()
    }

    pub(crate) fn cancel_appointment(&self, id: &str, reason: Option<&str>) -> Result<Value> {
        let path = format!("/v1/appointments/{}/cancel", encode(id));
        self.client.post(&path).json(&json!({ "reason": reason })).fetch()
    }

    pub(crate) fn move_appointment(&self, key: &str, id: &str, when: Interval) -> Result<Value> {
        let path = format!("/v1/appointments/{}/move", encode(id));
        let body = json!({ "start": time::format(when.start), "end": time::format(when.end) });
        self.client.post(&path).header("idempotency-key", key).json(&body).fetch()
    }

    /// Write these members; the others stay.
    pub(crate) fn write_appointment(&self, id: &str, members: &Value) -> Result<Value> {
        self.client.patch(&format!("/v1/appointments/{}", encode(id))).json(members).fetch()
    }

    /// Berth adds the secret to the body, as the manifest says.
    pub(crate) fn create_webhook(&self, callback_url: &str) -> Result<Value> {
        self.client.post("/v1/webhooks").json(&json!({ "url": callback_url })).fetch()
    }

    pub(crate) fn delete_webhook(&self, id: &str) -> Result<()> {
        self.client.delete(&format!("/v1/webhooks/{}", encode(id))).send().map(|_| ())
    }
}

/// The one error of Acme that has a meaning of its own.
fn taken(response: &Response) -> Option<ProviderError> {
    let code = serde_json::from_slice::<Value>(&response.body).ok()?.get("code")?.as_str()?.to_owned();
    (response.status == 409 && code == "taken").then(ProviderError::slot_taken)
}
