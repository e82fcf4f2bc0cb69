//! Customers.

mod csv;
mod history;
mod same;
mod view;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use berth_engine::{CustomerPatch, CustomerQuery, NewCustomer};
use berth_model::id::CustomerId;
use berth_store::records::CustomerSort;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

pub(crate) use self::view::View;
use self::view::Whole;
use super::{
    described::{Described, routes},
    nullable,
};
use crate::http::{
    app::App,
    auth::AsTenant,
    csv::{Format, alone},
    etag,
    extract::{IfMatch, Json as Body, Path, Query},
    page::{self, Page},
    problem::{ApiResult, ProblemDocument},
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(list: CustomersRead, create: CustomersWrite))
        .routes(routes!(get: CustomersRead, update: CustomersWrite))
        .routes(routes!(history::list: CustomersRead))
        .routes(routes!(same::merge: CustomersWrite))
        .routes(routes!(same::split: CustomersWrite))
        .routes(routes!(same::not_same: CustomersWrite))
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// Whoever is known for longest first.
    #[default]
    CreatedAt,
    /// By name, without case and accents.
    Name,
    /// Whoever was seen last first.
    LastSeen,
}

/// Which customers are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// A whole e-mail address or telephone number, which is found exactly however it is written; else words, of which each must be a part
    /// of name, e-mail address or number, without case and accents.
    q: Option<String>,
    /// Who has this tag.
    tag: Option<String>,
    /// `true`: who may not book; `false`: who may.
    blocked: Option<bool>,
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// `json` (the default), or `csv` for all of them in one file; so does `Accept: text/csv`.
    #[param(value_type = Option<String>, example = "csv")]
    format: Option<Format>,
    /// Items wanted, 1 to 200 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// Customers. A page of a search may have fewer items than asked for, and a `next`: at most 100,000 customers are looked at for one. Their
/// bookings: `GET /api/customers/{id}/bookings`. As CSV (`format=csv`, or `Accept: text/csv`) all of them in one file, where cells that a
/// spreadsheet would calculate begin with an apostrophe.
#[utoipa::path(get, path = "/api/customers", operation_id = "customers_list", tag = "customers", params(ListParams),
    responses((status = 200, content((Page<View> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    headers: HeaderMap,
    Query(params): Query<ListParams>,
) -> ApiResult<Response> {
    let limit = page::items(params.limit)?;
    let sort = match params.sort {
        Sort::CreatedAt => CustomerSort::Age,
        Sort::Name => CustomerSort::Name,
        Sort::LastSeen => CustomerSort::LastSeen,
    };
    let after = page::position(params.cursor.as_ref())?;
    let query = CustomerQuery { words: params.q, tag: params.tag, blocked: params.blocked, sort, after };
    if Format::wanted(params.format, &headers) == Format::Csv {
        alone(&[("limit", params.limit.is_some()), ("cursor", params.cursor.is_some())], "customers")?;
        // What is wrong with the question is answered before the file begins.
        app.engine().customers.list_customers(&caller, query.clone(), 1).await?;
        return Ok(csv::answer(app, caller, query));
    }
    let found = app.engine().customers.list_customers(&caller, query, limit).await?;
    let next = found.next.as_ref().and_then(page::cursor);
    Ok(Json(Page { items: found.items.into_iter().map(View::from).collect(), next }).into_response())
}

/// A customer, with what is known and what is open about them. Nobody is merged by itself: who shares an e-mail address or a telephone number and is not
/// told apart by name and number, or by somebody's word, is named in `maybe_same`.
#[utoipa::path(get, path = "/api/customers/{id}", operation_id = "customers_get", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = Whole), (status = 404, body = ProblemDocument),
        (status = 410, body = ProblemDocument, description = "Part of another customer, whom `customer_id` names")))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
) -> ApiResult<Response> {
    let whole = Whole::from(app.engine().customers.whole_customer(&caller, id).await?);
    Ok(etag::tagged(StatusCode::OK, whole.customer.revision, whole))
}

/// Why a customer may not book.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BlockCustomer)]
pub(crate) struct Block {
    /// For the business, never shown to the customer; 1 to 500 characters.
    reason: String,
}

/// A customer to be made by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCustomer, example = json!({
    "name": "Ada Nowak", "email": "ada@example.com", "phone": "+48600100200", "language": "pl", "tags": ["regular"],
}))]
pub(crate) struct New {
    /// 1 to 200 characters.
    name: String,
    #[serde(default)]
    email: Option<String>,
    /// E.164, such as +48600100200.
    #[serde(default)]
    phone: Option<String>,
    /// BCP 47, such as de or en-GB.
    #[serde(default)]
    language: Option<String>,
    /// At most 4,000 characters.
    #[serde(default)]
    notes: Option<String>,
    /// At most 50, of 1 to 50 characters each.
    #[serde(default)]
    tags: Vec<String>,
    /// They may not book.
    #[serde(default)]
    blocked: Option<Block>,
}

/// Make a customer by hand. Somebody of the same name and address who is known already is not made again: 409, with their `customer_id`.
#[utoipa::path(post, path = "/api/customers", operation_id = "customers_create", tag = "customers", request_body = New,
    responses((status = 201, body = View), (status = 409, body = ProblemDocument, description = "Known already, as `customer_id`"), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(new): Body<New>,
) -> ApiResult<Response> {
    let new = NewCustomer {
        name: new.name,
        email: new.email,
        phone: new.phone,
        language: new.language,
        notes: new.notes,
        tags: new.tags,
        blocked: new.blocked.map(|block| block.reason),
    };
    let customer = View::from(app.engine().customers.create_customer(&caller, new).await?);
    let location = format!("/api/customers/{}", customer.id);
    Ok(etag::located(etag::tagged(StatusCode::CREATED, customer.revision, customer), location))
}

/// Changes of a customer. Absent fields stay as they are; null clears one.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomerPatch)]
pub(crate) struct Patch {
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    notes: Option<Option<String>>,
    /// All of them.
    tags: Option<Vec<String>>,
    /// Null: they may book.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Block>)]
    blocked: Option<Option<Block>>,
}

/// Change a customer. By another address they are found from then on, and by the one before no more. Who is `blocked` may not book: a booking for
/// them is refused (`BERTH-E0558`), unless a key with the scope `bookings:override` says `allow_blocked`.
#[utoipa::path(patch, path = "/api/customers/{id}", operation_id = "customers_update", tag = "customers", request_body = Patch, params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = View), (status = 404, body = ProblemDocument), (status = 410, body = ProblemDocument, description = "Part of another customer, whom `customer_id` names"), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
    IfMatch(revision): IfMatch,
    Body(patch): Body<Patch>,
) -> ApiResult<Response> {
    let patch = CustomerPatch {
        name: patch.name,
        email: patch.email,
        phone: patch.phone,
        language: patch.language,
        notes: patch.notes,
        tags: patch.tags,
        blocked: patch.blocked.map(|blocked| blocked.map(|block| block.reason)),
    };
    let customer = View::from(app.engine().customers.update_customer(&caller, id, patch, revision).await?);
    Ok(etag::tagged(StatusCode::OK, customer.revision, customer))
}
