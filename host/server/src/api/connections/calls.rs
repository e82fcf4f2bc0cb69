//! Calls into a provider's component, as they went.

use axum::{Json, extract::State};
use berth_model::id::ConnectionId;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::{
    app::App,
    auth::AsTenant,
    contacts::Anything,
    extract::{Path, Query},
    page::{self, Page, PageParams},
    problem::{ApiResult, ProblemDocument},
};

/// A call into a provider's component.
#[derive(Serialize, ToSchema)]
pub(crate) struct Call {
    id: String,
    /// For which listing, if for one.
    listing_id: Option<String>,
    connection_id: String,
    plugin: String,
    /// Of the version that ran, its first 12 hex digits.
    digest: String,
    /// Function of the contract: `bookings.create`.
    operation: String,
    #[schema(format = DateTime)]
    started_at: String,
    elapsed_ms: u64,
    /// `ok`, or how it failed.
    outcome: String,
    /// Why, for people. Secrets are removed.
    error: Option<String>,
    /// The last that the component said, if it failed inside its sandbox, or warned of something while it went well.
    said: Option<String>,
    request_id: String,
    /// Requests that it made.
    egress: Vec<Egress>,
}

/// A request that a component made.
#[derive(Serialize, ToSchema)]
struct Egress {
    method: String,
    /// Host and port.
    host: String,
    /// Its path, with `{}` for ids.
    path: String,
    /// Of the answer, if there was one.
    status: Option<u16>,
    /// `ok`, or the name of the rule that refused it or of the failure.
    outcome: String,
    /// Of a refusal: the line of the manifest or of a grant that would allow it.
    hint: Option<String>,
    elapsed_ms: u64,
    /// Bytes of the body that was sent, and of the one that came.
    bytes_out: u64,
    bytes_in: u64,
}

/// A call as it is kept, with the references of answers.
pub(crate) fn shown(mut call: Value) -> Value {
    if let Some(members) = call.as_object_mut() {
        for (kept, name) in [("connection", "connection_id"), ("listing", "listing_id")] {
            if let Some(id) = members.remove(kept) {
                members.insert(name.to_owned(), id);
            }
        }
    }
    call
}

/// The last calls into the provider's component, newest first, with the hosts that were refused and what would allow them.
#[utoipa::path(get, path = "/api/booking-providers/{id}/calls", operation_id = "connection_calls_list", tag = "booking providers", params(("id" = String, Path), PageParams),
    responses((status = 200, body = Page<Call>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn calls(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Anything>> {
    let limit = page::items(params.limit)?;
    let items = app.engine().connections.connection_calls(&caller, id, limit).await?;
    let items: Vec<Value> = items.into_iter().map(shown).collect();
    Ok(Json(Anything(json!({ "items": items }))))
}
