//! Who is the same person and who is not.

use axum::{extract::State, http::StatusCode, response::Response};
use berth_model::id::{BookingId, ConsentId, CustomerId, MirroredId};
use berth_store::records::CustomerSplit;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::Whole;
use crate::http::{
    app::App,
    auth::AsTenant,
    etag,
    extract::{Json as Body, Path},
    problem::{ApiResult, ProblemDocument},
};

/// Another customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OtherCustomer)]
pub(crate) struct Other {
    #[schema(value_type = String)]
    customer_id: CustomerId,
}

fn shown(status: StatusCode, whole: Whole) -> Response {
    etag::tagged(status, whole.customer.revision, whole)
}

/// Make another customer part of this one: bookings, bookings at providers, consents, tags, and what finds them are this one's from then on. Name,
/// e-mail address and number of this one stay, and the other's fill what is empty; who was blocked stays blocked. Whatever is asked for under the
/// other's id is answered 410, with this one's `customer_id`. Doing it twice is the same as once.
#[utoipa::path(post, path = "/api/customers/{id}/merge", operation_id = "customers_merge", tag = "customers", request_body = Other, params(("id" = String, Path)),
    responses((status = 200, body = Whole), (status = 404, body = ProblemDocument),
        (status = 410, body = ProblemDocument, description = "Either is part of another customer, whom `customer_id` names"), (status = 422, body = ProblemDocument)))]
pub(crate) async fn merge(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
    Body(other): Body<Other>,
) -> ApiResult<Response> {
    let whole = app.engine().customers.merge_customer(&caller, id, other.customer_id).await?;
    Ok(shown(StatusCode::OK, whole.into()))
}

/// Say that another customer is somebody else: neither is named in the other's `maybe_same` any more.
#[utoipa::path(post, path = "/api/customers/{id}/not-same", operation_id = "customers_part", tag = "customers", request_body = Other, params(("id" = String, Path)),
    responses((status = 200, body = Whole), (status = 404, body = ProblemDocument),
        (status = 410, body = ProblemDocument, description = "Either is part of another customer, whom `customer_id` names"), (status = 422, body = ProblemDocument)))]
pub(crate) async fn not_same(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
    Body(other): Body<Other>,
) -> ApiResult<Response> {
    let whole = app.engine().customers.part_customer(&caller, id, other.customer_id).await?;
    Ok(shown(StatusCode::OK, whole.into()))
}

/// What is somebody else's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SplitCustomer)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the interface, in which references end so"
)]
pub(crate) struct Split {
    /// Bookings that were made here; at most 200.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    booking_ids: Vec<BookingId>,
    /// Bookings that were made at providers, by the ids that the history has; at most 200.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    external_booking_ids: Vec<MirroredId>,
    /// What they said of consents; at most 200. The others stay.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    consent_ids: Vec<ConsentId>,
}

/// Take apart what is two people's, also what was merged: the bookings named are a new customer's, with the names and addresses that they carry.
/// Addresses that nothing else of this one carries find the new one alone from then on. Answers with the new customer.
#[utoipa::path(post, path = "/api/customers/{id}/split", operation_id = "customers_split", tag = "customers", request_body = Split, params(("id" = String, Path)),
    responses((status = 201, body = Whole), (status = 404, body = ProblemDocument, description = "No such customer, or something named is not theirs: nothing was changed"),
        (status = 410, body = ProblemDocument, description = "Part of another customer, whom `customer_id` names"), (status = 422, body = ProblemDocument)))]
pub(crate) async fn split(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
    Body(split): Body<Split>,
) -> ApiResult<Response> {
    let what = CustomerSplit {
        bookings: split.booking_ids,
        external_bookings: split.external_booking_ids,
        consents: split.consent_ids,
    };
    let whole = app.engine().customers.split_customer(&caller, id, what).await?;
    Ok(shown(StatusCode::CREATED, whole.into()))
}
