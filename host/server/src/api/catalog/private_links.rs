//! Private links to event types, by the business's key.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{Caller, NewPrivateLink};
use berth_model::{
    catalog::private_link::PrivateLink,
    id::{ConnectionId, EventTypeId, PrivateLinkId},
    plugins::manifest::BUILTIN,
    problem::Problem,
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::connections::choice,
    http::{
        app::App,
        auth::AsTenant,
        etag::located,
        extract::{Json as Body, Path, Query},
        once::{private, shown_once},
        page::{self, Page},
        problem::{ApiResult, ProblemDocument},
    },
};

/// A link to an event type. Whoever has its token sees the event type without a key, and books it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PrivateLinkView {
    #[schema(value_type = String)]
    id: PrivateLinkId,
    #[schema(value_type = String)]
    event_type_id: EventTypeId,
    /// For whom or what it is.
    name: String,
    /// Is it over once something was booked by it?
    single_use: bool,
    /// Bookings that were made by it.
    uses: u32,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
    /// From then on it is over; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    /// `open`; `used`: it was for one booking, which was made; `expired`.
    state: &'static str,
    /// For `link` of `/api/public/{tenant}/…`; null for a link of a provider.
    token: Option<String>,
    /// Name of the provider whose link it is: `builtin` for ours.
    provider: String,
    /// Over which connection the provider made it; null for ours.
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    /// Where whoever is given it goes, if its provider made it; of ours, see `token`.
    url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl PrivateLinkView {
    async fn of(app: &App, caller: &Caller, link: PrivateLink) -> ApiResult<Self> {
        let (token, provider) = match &link.there {
            None => {
                let token = app.engine().catalog.private_link_token(&link)?;
                (Some(token.expose().to_owned()), BUILTIN.to_owned())
            }
            Some(there) => {
                let connection = app.engine().connections.connection(caller, there.connection).await?;
                (None, connection.plugin.to_string())
            }
        };
        Ok(Self {
            provider,
            connection_id: link.there.as_ref().map(|there| there.connection),
            state: link.state(app.engine().now()).as_str(),
            url: link.there.map(|there| there.url),
            id: link.id,
            event_type_id: link.event_type,
            name: link.name,
            single_use: link.single_use,
            uses: link.uses,
            last_used_at: link.last_used_at,
            expires_at: link.expires_at,
            token,
            created_at: link.created_at,
        })
    }
}

/// A link to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "event_type_id": "0193b3f0-0000-7000-8000-000000000003", "name": "Ada Nowak", "expires_at": "2026-12-24T00:00:00Z" }))]
pub(crate) struct NewLink {
    #[schema(value_type = String)]
    event_type_id: EventTypeId,
    /// For whom or what it is: 1 to 200 characters.
    name: String,
    /// Is it over once something was booked by it (true)?
    #[serde(default = "yes")]
    #[schema(default = true)]
    single_use: bool,
    /// From then on it is over, at most 730 days ahead; absent or null: never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
}

const fn yes() -> bool {
    true
}

/// Make a link to an event type, for whom it is not public: for one booking, or until some day, or both. The event type itself may be
/// `private` (`policy.visibility`), so that nobody else sees it.
#[utoipa::path(post, path = "/api/booking/private-links", tag = "private links", operation_id = "private_links_create", request_body = NewLink,
    responses((status = 201, body = PrivateLinkView), (status = 422, body = ProblemDocument)))]
pub(crate) async fn create(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(new): Body<NewLink>,
) -> ApiResult<Response> {
    let new = NewPrivateLink {
        event_type: new.event_type_id,
        name: new.name,
        single_use: new.single_use,
        expires_at: new.expires_at,
    };
    let made = app.engine().catalog.create_private_link(&caller, new).await?;
    let hint = "Look at the link that was made: GET /api/booking/private-links/{id} shows its token.";
    shown(&app, &caller, made, hint).await
}

/// A link that was just made, which is shown to nobody again by the same key.
async fn shown(app: &App, caller: &Caller, made: PrivateLink, hint: &'static str) -> ApiResult<Response> {
    let location = format!("/api/booking/private-links/{}", made.id);
    let response = (StatusCode::CREATED, Json(PrivateLinkView::of(app, caller, made).await?)).into_response();
    Ok(shown_once(located(response, location), hint))
}

/// A link to be made where the event type is booked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Ada Nowak" }))]
pub(crate) struct NewLinkThere {
    /// For whom or what it is: 1 to 200 characters.
    name: String,
    /// Is it over once something was booked by it (true)? Links of providers always are.
    #[serde(default = "yes")]
    #[schema(default = true)]
    single_use: bool,
    /// From then on it is over, at most 730 days ahead; absent or null: never. Absent for a link of a provider, which says itself how long its
    /// links are good.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    /// Who makes it, if not who the event type is booked at: the name of a provider, `builtin` for a link of ours.
    #[serde(default)]
    provider: Option<String>,
    /// Over which connection, where there are several.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
}

/// Make a link to an event type where it is booked. A provider that makes links makes its own (`url`), for one booking, which is then made there and
/// comes here as one of its bookings; everywhere else it is one of ours (`token`), as POST /api/booking/private-links makes them. Both are read,
/// listed and ended there.
#[utoipa::path(post, path = "/api/booking/event-types/{id}/links", tag = "private links", operation_id = "event_type_links_create", request_body = NewLinkThere,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Repeats with the same key make no second link, here or there")),
    responses((status = 201, body = PrivateLinkView), (status = 404, body = ProblemDocument),
        (status = 422, body = ProblemDocument, description = "Fields are wrong, or the provider that was named makes no links")))]
pub(crate) async fn create_there(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(event_type): Path<EventTypeId>,
    Body(new): Body<NewLinkThere>,
) -> ApiResult<Response> {
    let choice = choice::of(new.provider.as_deref(), new.connection_id)
        .map_err(|error| Problem::invalid(vec![error]))?;
    let new =
        NewPrivateLink { event_type, name: new.name, single_use: new.single_use, expires_at: new.expires_at };
    let made = app.engine().catalog.create_link(&caller, new, choice).await?;
    let hint = "Look at the link that was made: GET /api/booking/private-links/{id} shows its address.";
    shown(&app, &caller, made, hint).await
}

/// Which links are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// To this event type.
    #[param(value_type = Option<String>)]
    event_type_id: Option<EventTypeId>,
    /// Items wanted, 1 to the most that a page has (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// Links, by age, those that are over included: they are forgotten 30 days later, when another is made.
#[utoipa::path(get, path = "/api/booking/private-links", tag = "private links", operation_id = "private_links_list", params(ListParams), responses((status = 200, body = Page<PrivateLinkView>)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<ListParams>,
) -> ApiResult<Response> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let catalog = &app.engine().catalog;
    let rows =
        catalog.list_private_links(&caller, params.event_type_id, after, limit.saturating_add(1)).await?;
    let Page { items, next } = page::page(rows, limit, |link| link.id, |link| link);
    let mut shown = Vec::with_capacity(items.len());
    for link in items {
        shown.push(PrivateLinkView::of(&app, &caller, link).await?);
    }
    Ok(private(Json(Page { items: shown, next }).into_response()))
}

/// A link.
#[utoipa::path(get, path = "/api/booking/private-links/{id}", tag = "private links", operation_id = "private_links_get", params(("id" = String, Path)),
    responses((status = 200, body = PrivateLinkView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<PrivateLinkId>,
) -> ApiResult<Response> {
    let link = app.engine().catalog.private_link(&caller, id).await?;
    Ok(private(Json(PrivateLinkView::of(&app, &caller, link).await?).into_response()))
}

/// End a link. Whoever has it is told that there is none; one that a provider made is forgotten here, and good there for as long as the provider
/// says.
#[utoipa::path(delete, path = "/api/booking/private-links/{id}", tag = "private links", operation_id = "private_links_delete", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
pub(crate) async fn delete(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<PrivateLinkId>,
) -> ApiResult<StatusCode> {
    app.engine().catalog.delete_private_link(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
