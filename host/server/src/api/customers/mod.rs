//! Customers.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_model::{
    customers::{Customer, MaybeSame},
    id::CustomerId,
    time::Instant,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::described::{Described, routes};
use crate::http::{
    app::App,
    auth::AsTenant,
    etag,
    extract::{Path, Query},
    page::{self, Page, PageParams},
    problem::{ApiResult, ProblemDocument},
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new().routes(routes!(list: CustomersRead)).routes(routes!(get: CustomersRead))
}

/// Somebody whom bookings are for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer, example = json!({
    "id": "019387c1-5a10-7cc4-9df6-3b6f0e2a7c11", "name": "Ada Nowak", "email": "ada@example.com", "phone": "+48600100200", "revision": 1,
    "created_at": "2026-11-20T12:00:00Z", "last_seen_at": "2026-11-28T09:30:00Z",
}))]
pub(crate) struct View {
    #[schema(value_type = String)]
    id: CustomerId,
    /// Full name, as it was given first.
    name: String,
    /// Mailbox, as it was given first.
    email: Option<String>,
    /// Telephone number, as it was given first.
    phone: Option<String>,
    /// Counts changes; the `ETag`.
    revision: i64,
    /// When the first booking of theirs came.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When a booking of theirs came last, to within a day.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Instant,
}

impl From<Customer> for View {
    fn from(c: Customer) -> Self {
        Self {
            id: c.id,
            name: c.name,
            email: c.email,
            phone: c.phone,
            revision: c.revision,
            created_at: c.created_at,
            last_seen_at: c.last_seen_at,
        }
    }
}

/// A customer who may be the same person, and why nobody can tell without asking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MaybeSameCustomer)]
pub(crate) struct MaybeSameView {
    #[schema(value_type = String)]
    customer_id: CustomerId,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    /// Both have this e-mail address.
    same_email: bool,
    /// Both have this telephone number.
    same_phone: bool,
    /// Their names are alike, however they are written.
    same_name: bool,
}

impl From<MaybeSame> for MaybeSameView {
    fn from(other: MaybeSame) -> Self {
        let MaybeSame { customer, same_email, same_phone, same_name } = other;
        let Customer { id, name, email, phone, .. } = customer;
        Self { customer_id: id, name, email, phone, same_email, same_phone, same_name }
    }
}

/// A customer, with what is open about them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerWithQuestions)]
pub(crate) struct Whole {
    #[serde(flatten)]
    customer: View,
    /// Customers who share an address and may be the same person: a family has one address, and one person may be written in two ways.
    maybe_same: Vec<MaybeSameView>,
}

/// Customers, by age. Their bookings: `GET /api/booking?customer_id=…`.
#[utoipa::path(get, path = "/api/customers", operation_id = "customers_list", tag = "customers", params(PageParams), responses((status = 200, body = Page<View>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Page<View>>> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let rows = app.engine().customers.list_customers(&caller, after, limit.saturating_add(1)).await?;
    Ok(Json(page::page(rows, limit, |customer| customer.id, View::from)))
}

/// A customer, with those who may be the same person. Nobody is merged by itself: who shares an e-mail address or a telephone number and is not
/// told apart by name and number is named here.
#[utoipa::path(get, path = "/api/customers/{id}", operation_id = "customers_get", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = Whole), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
) -> ApiResult<Response> {
    let (customer, maybe_same) = app.engine().customers.customer(&caller, id).await?;
    let (revision, customer) = (customer.revision, View::from(customer));
    let maybe_same = maybe_same.into_iter().map(Into::into).collect();
    Ok(etag::tagged(StatusCode::OK, revision, Whole { customer, maybe_same }))
}
