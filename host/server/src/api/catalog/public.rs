//! What a business shows to people without a key.

use axum::{extract::State, http::HeaderMap, response::Response};
use berth_engine::Offered;
use berth_model::{
    bookings::questions::Question,
    catalog::{
        event_type::{Confirmation, EventTypeRecord},
        listing::ListingRecord,
        member::MemberRecord,
    },
    connections::secret::Secret,
    id::{EventTypeId, MemberId},
    outbound::provider::Money,
    tenants::settings::{ColourScheme, HourClock},
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::schemas;
use crate::{
    api::{
        described::{Described, routes},
        tenants::schemas as of_tenants,
    },
    http::{
        app::App,
        extract::{Path, Query},
        kept::{kept, written},
        problem::{ApiResult, ProblemDocument},
        public::Visitor,
        request_id::RequestId,
    },
};

/// How long what is on offer may be kept: a minute.
const CACHE_CONTROL: &str = "public, max-age=60";
/// What only whoever has a link sees.
const BY_LINK: &str = "private, no-store";

/// Routes without a key, of one tenant.
pub(in crate::api) fn public() -> Described {
    Described::new()
        .routes(routes!(business))
        .routes(routes!(listing))
        .routes(routes!(event_type))
        .routes(routes!(link))
}

/// A business.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Business {
    /// Its name for customers.
    name: String,
    /// Its colour; null: the page's own.
    accent: Option<String>,
    #[schema(value_type = of_tenants::ColourScheme)]
    scheme: ColourScheme,
    logo_url: Option<String>,
    /// Languages that it speaks (BCP 47), the first by default.
    languages: Vec<String>,
    /// The clock that it shows times by; null: the language's own.
    #[schema(value_type = Option<of_tenants::HourClock>)]
    clock: Option<HourClock>,
    /// IANA zone of times that belong to no listing.
    #[schema(value_type = Option<String>)]
    time_zone: Option<Zone>,
    imprint_url: Option<String>,
    privacy_url: Option<String>,
    /// Where it can be booked, by age; at most 200.
    listings: Vec<PublicListing>,
}

/// A listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicListing {
    /// Its name in addresses.
    slug: String,
    title: String,
    description: String,
    #[schema(value_type = String)]
    time_zone: Zone,
}

impl From<ListingRecord> for PublicListing {
    fn from(l: ListingRecord) -> Self {
        Self { slug: l.slug, title: l.title, description: l.description, time_zone: l.time_zone }
    }
}

/// A listing and what can be booked there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicListingWithEventTypes {
    #[serde(flatten)]
    listing: PublicListing,
    /// By age; at most 200.
    event_types: Vec<PublicEventType>,
}

/// What can be booked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicEventType {
    #[schema(value_type = String)]
    id: EventTypeId,
    slug: String,
    title: String,
    description: String,
    length_minutes: u32,
    /// Lengths that may be chosen instead.
    other_lengths_minutes: Vec<u32>,
    #[schema(value_type = Option<schemas::Money>)]
    price: Option<Money>,
    /// Customers who share one meeting; 1 for a meeting of one's own.
    seats: u32,
    /// Does a booking wait for the business to confirm it (`manual`)?
    #[schema(value_type = schemas::Confirmation)]
    confirmation: Confirmation,
    /// Customers may cancel until so many minutes before the start; null: until the start.
    cancel_cutoff_minutes: Option<u32>,
    /// Customers may move it until so many minutes before the start; null: until the start.
    reschedule_cutoff_minutes: Option<u32>,
}

impl From<&EventTypeRecord> for PublicEventType {
    fn from(r: &EventTypeRecord) -> Self {
        Self {
            id: r.id,
            slug: r.slug.clone(),
            title: r.title.clone(),
            description: r.description.clone(),
            length_minutes: r.length_minutes,
            other_lengths_minutes: r.policy.other_lengths_minutes.clone(),
            price: r.policy.price.clone(),
            seats: r.policy.seats,
            confirmation: r.policy.confirmation,
            cancel_cutoff_minutes: r.policy.cancel_cutoff_minutes,
            reschedule_cutoff_minutes: r.policy.reschedule_cutoff_minutes,
        }
    }
}

/// Somebody who can be booked.
#[derive(Debug, Serialize, ToSchema)]
struct PublicMember {
    /// For `member_id`, to be booked by name.
    #[schema(value_type = String)]
    id: MemberId,
    name: String,
}

impl From<&MemberRecord> for PublicMember {
    fn from(m: &MemberRecord) -> Self {
        Self { id: m.id, name: m.name.clone() }
    }
}

/// What can be booked, with what is asked, where and with whom.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicEventTypeWithForm {
    #[serde(flatten)]
    event_type: PublicEventType,
    listing: PublicListing,
    /// What is asked; answers stand in `answers` under each `key`.
    #[schema(value_type = Vec<schemas::Question>)]
    questions: Vec<Question>,
    /// Who can be booked, by priority.
    members: Vec<PublicMember>,
}

impl From<&Offered> for PublicEventTypeWithForm {
    fn from(Offered { setup, .. }: &Offered) -> Self {
        Self {
            event_type: (&setup.event_type).into(),
            listing: setup.listing.clone().into(),
            questions: setup.event_type.policy.questions.clone(),
            members: setup.members.iter().map(Into::into).collect(),
        }
    }
}

/// A business that may be booked without a key: how it looks, and its listings. 404 as well for one that is not public or suspended.
#[utoipa::path(get, path = "/api/public/{tenant}", tag = "public", operation_id = "public_business_get", security(()), params(("tenant" = String, Path, description = "Its name in addresses")),
    responses((status = 200, body = Business, headers(("ETag" = String, description = "Send it back as If-None-Match."))), (status = 304, description = "Nothing changed."), (status = 404, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
pub(crate) async fn business(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let listings = app.engine().catalog.offered_listings(&visitor.caller(&request_id)).await?;
    let settings = &visitor.tenant.settings;
    let brand = settings.brand.clone();
    let shown = Business {
        name: brand.name.unwrap_or_else(|| visitor.tenant.name.clone()),
        accent: brand.accent,
        scheme: brand.scheme,
        logo_url: brand.logo_url,
        languages: settings.languages.clone(),
        clock: settings.clock,
        time_zone: settings.time_zone,
        imprint_url: settings.imprint_url.clone(),
        privacy_url: settings.privacy_url.clone(),
        listings: listings.into_iter().map(Into::into).collect(),
    };
    Ok(kept(&headers, written(&shown)?, CACHE_CONTROL))
}

/// A listing and its public event types.
#[utoipa::path(get, path = "/api/public/{tenant}/listings/{listing}", tag = "public", operation_id = "public_listing_get", security(()),
    params(("tenant" = String, Path), ("listing" = String, Path, description = "Its name in addresses")),
    responses((status = 200, body = PublicListingWithEventTypes, headers(("ETag" = String, description = "Send it back as If-None-Match."))), (status = 304, description = "Nothing changed."), (status = 404, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
pub(crate) async fn listing(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    headers: HeaderMap,
    Path(path): Path<(String, String)>,
) -> ApiResult<Response> {
    let caller = visitor.caller(&request_id);
    let (_, slug) = path;
    let (listing, event_types) = app.engine().catalog.offered_listing(&caller, &slug).await?;
    let shown = PublicListingWithEventTypes {
        listing: listing.into(),
        event_types: event_types.iter().map(Into::into).collect(),
    };
    Ok(kept(&headers, written(&shown)?, CACHE_CONTROL))
}

/// By which link.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkParams {
    /// The token of a private link to it; for one that is not public.
    #[param(value_type = Option<String>)]
    link: Option<Secret>,
}

fn shown(headers: &HeaderMap, offered: &Offered) -> ApiResult<Response> {
    let cache = if offered.link.is_some() { BY_LINK } else { CACHE_CONTROL };
    Ok(kept(headers, written(&PublicEventTypeWithForm::from(offered))?, cache))
}

/// What can be booked, with what is asked and with whom.
#[utoipa::path(get, path = "/api/public/{tenant}/event-types/{id}", tag = "public", operation_id = "public_event_type_get", security(()),
    params(("tenant" = String, Path), ("id" = String, Path), LinkParams),
    responses((status = 200, body = PublicEventTypeWithForm, headers(("ETag" = String, description = "Send it back as If-None-Match."))), (status = 304, description = "Nothing changed."), (status = 404, body = ProblemDocument), (status = 410, body = ProblemDocument, description = "The link is over: `state` says why"), (status = 429, body = ProblemDocument)))]
pub(crate) async fn event_type(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    headers: HeaderMap,
    Path(path): Path<(String, EventTypeId)>,
    Query(params): Query<LinkParams>,
) -> ApiResult<Response> {
    let caller = visitor.caller(&request_id);
    let (_, id) = path;
    let offered = app.engine().catalog.offered_event_type(&caller, id, params.link.as_ref()).await?;
    shown(&headers, &offered)
}

/// What a private link leads to.
#[utoipa::path(get, path = "/api/public/{tenant}/links/{link}", tag = "public", operation_id = "public_link_get", security(()),
    params(("tenant" = String, Path), ("link" = String, Path, description = "The link's token")),
    responses((status = 200, body = PublicEventTypeWithForm), (status = 404, body = ProblemDocument), (status = 410, body = ProblemDocument, description = "The link is over: `state` says why"), (status = 429, body = ProblemDocument)))]
pub(crate) async fn link(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    headers: HeaderMap,
    Path(path): Path<(String, Secret)>,
) -> ApiResult<Response> {
    let (_, link) = path;
    let offered = app.engine().catalog.offered_by_link(&visitor.caller(&request_id), &link).await?;
    shown(&headers, &offered)
}
