//! What stands behind public links of providers.

use axum::{Json, extract::State};
use berth_model::id::{ConnectionId, EventTypeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    app::App,
    auth::AsTenant,
    contacts::Anything,
    extract::{Json as Body, Path},
    problem::{ApiResult, ProblemDocument},
};

/// A public link, as somebody pasted it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicLink {
    /// https, at most 2048 bytes.
    #[schema(example = "https://provider.example/studio/first-visit")]
    url: String,
}

/// What stands behind a link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolvedLinkView {
    /// The event type's id at the provider.
    external_id: String,
    title: String,
    length_minutes: u32,
    /// Can it be booked there?
    active: bool,
    /// The provider's public page for it.
    url: Option<String>,
    /// The event types here that stand for it, through their `external`.
    #[schema(value_type = Vec<String>)]
    event_type_ids: Vec<EventTypeId>,
    /// All that the provider says of it.
    #[schema(value_type = Object)]
    payload: Anything,
}

/// Find the event type behind a public link of the provider, and what stands for it here. What was found is kept for as long as the provider's list
/// of event types, and asked again after that. Nothing is changed.
#[utoipa::path(post, path = "/api/booking-providers/{id}/resolve-link", operation_id = "provider_links_resolve", tag = "booking providers", request_body = PublicLink,
    params(("id" = String, Path)),
    responses((status = 200, body = ResolvedLinkView), (status = 404, body = ProblemDocument),
        (status = 422, body = ProblemDocument, description = "It is no https address, leads to no event type of this account, or the provider resolves no links")))]
pub(crate) async fn resolve(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    Body(link): Body<PublicLink>,
) -> ApiResult<Json<ResolvedLinkView>> {
    let found = app.engine().catalog.resolve_link(&caller, id, link.url).await?;
    let payload = Anything::of(&found.external);
    let external = found.external;
    Ok(Json(ResolvedLinkView {
        external_id: external.id,
        title: external.title,
        length_minutes: external.length_minutes,
        active: external.active,
        url: external.booking_url,
        event_type_ids: found.event_types,
        payload,
    }))
}
