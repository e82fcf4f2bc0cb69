//! What can be booked at a provider, asked now.

use axum::{Json, extract::State};
use berth_model::{
    id::ConnectionId,
    outbound::provider::{ExternalEventType, Page as ExternalPage},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::catalog::schemas::Money,
    http::{
        app::App,
        auth::AsTenant,
        extract::{Path, Query},
        page::Page,
        problem::{ApiResult, ProblemDocument},
    },
};

/// Which page of the provider's list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventTypeParams {
    /// `next` of the last page.
    cursor: Option<String>,
}

/// Something that can be booked at the provider, as it says.
#[derive(Serialize, ToSchema)]
#[schema(as = ExternalEventType)]
pub(crate) struct EventTypeThere {
    /// The provider's own.
    #[schema(max_length = 2048, example = "101")]
    id: String,
    title: String,
    description: Option<String>,
    length_minutes: u32,
    /// Where the customer chooses.
    length_options_minutes: Vec<u32>,
    buffer_before_minutes: u32,
    buffer_after_minutes: u32,
    minimum_notice_minutes: u32,
    seats: u32,
    price: Option<Money>,
    needs_confirmation: bool,
    /// Where customers book it there.
    booking_url: Option<String>,
    active: bool,
    /// The provider's own JSON.
    raw: Value,
}

/// What can be booked at the provider.
#[utoipa::path(get, path = "/api/booking-providers/{id}/event-types", operation_id = "provider_event_types_list", tag = "booking providers", params(("id" = String, Path), EventTypeParams),
    responses((status = 200, body = Page<EventTypeThere>), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 502, body = ProblemDocument)))]
pub(crate) async fn event_types(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    Query(params): Query<EventTypeParams>,
) -> ApiResult<Json<ExternalPage<ExternalEventType>>> {
    Ok(Json(app.engine().catalog.external_event_types(&caller, id, params.cursor).await?))
}
