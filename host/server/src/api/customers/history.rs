//! What a customer booked.

use axum::{Json, extract::State};
use berth_model::{
    customers::Visit,
    id::{ConnectionId, CustomerId, EventTypeId, ListingId, MemberId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{Path, Query},
    page::{self, Page},
    problem::{ApiResult, ProblemDocument},
};

/// A line of a customer's history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerBooking)]
pub(crate) struct View {
    /// Id of the booking; of one that was made at a provider, the id under which it is known here.
    #[schema(value_type = String)]
    id: Uuid,
    /// `berth`: made here; `external`: made at the provider.
    origin: &'static str,
    status: String,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// Null of one that was made at the provider.
    #[schema(value_type = Option<String>)]
    event_type_id: Option<EventTypeId>,
    /// Null of one that was made at the provider.
    #[schema(value_type = Option<String>)]
    listing_id: Option<ListingId>,
    /// Over which connection; null for the built-in provider.
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    /// The provider's id of it.
    external_id: Option<String>,
}

impl From<Visit> for View {
    fn from(v: Visit) -> Self {
        Self {
            id: v.id,
            origin: if v.external { "external" } else { "berth" },
            status: v.status,
            start: v.start,
            end: v.end,
            member_id: v.member,
            event_type_id: v.event_type,
            listing_id: v.listing,
            connection_id: v.connection,
            external_id: v.external_id,
        }
    }
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryParams {
    /// Items wanted, 1 to 200 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// What a customer booked here, and at providers as far as that is known, the latest start first.
#[utoipa::path(get, path = "/api/customers/{id}/bookings", operation_id = "customer_bookings_list", tag = "customers", params(("id" = String, Path), HistoryParams),
    responses((status = 200, body = Page<View>), (status = 404, body = ProblemDocument), (status = 410, body = ProblemDocument, description = "Part of another customer, whom `customer_id` names")))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
    Query(params): Query<HistoryParams>,
) -> ApiResult<Json<Page<View>>> {
    let limit = page::items(params.limit)?;
    let before = page::position(params.cursor.as_ref())?;
    let found = app.engine().customers.customer_history(&caller, id, before, limit.saturating_add(1)).await?;
    Ok(Json(page::page(found, limit, |visit| (visit.start, visit.id), View::from)))
}
