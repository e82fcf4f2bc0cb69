//! A provider as a tenant's administrator sees it: over all of the tenant's connections to it.

pub(crate) mod answers;
mod health;
mod imports;
pub(crate) mod schemas;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_engine::Reconciliation;
use berth_model::{
    budget::Budget,
    connections::connection::ConnectionRecord,
    id::{ConflictId, ConnectionId},
    limits,
    mirror::sync::{Conflict, ItemKind, MirroredItem, Resolution, SyncRules},
    plugins::manifest::PluginId,
    problem::{Code, FieldError, Problem},
    time::{Instant, Interval},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use self::answers::{Conflict as ConflictView, EndedConflict, SyncStatus};
use super::{
    connections::calls::{self, Call},
    described::{Described, routes},
};
use crate::http::{
    app::App,
    auth::AsTenant,
    contacts::Anything,
    csv::harmless,
    extract::{Json as Body, Path, Query},
    page::{self, Page},
    problem::{ApiResult, ProblemDocument},
};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new()
        .routes(routes!(sync_of: ProvidersRead, start_sync: ProvidersWrite))
        .routes(routes!(set_rules: ProvidersWrite))
        .routes(routes!(mirror: ProvidersRead))
        .routes(routes!(imports::import: ProvidersWrite))
        .routes(routes!(sync_status: ProvidersRead))
        .routes(routes!(full_sync: ProvidersWrite))
        .routes(routes!(health::health: ProvidersRead))
        .routes(routes!(errors: ProvidersRead))
        .routes(routes!(conflicts: ProvidersRead))
        .routes(routes!(resolve: ProvidersWrite))
        .routes(routes!(revert: ProvidersWrite))
        .routes(routes!(reconciliation: ProvidersRead))
}

/// How a connection's synchronisation stands: rules, phase, pages and bookings read, when it was read last, what failed, and how many
/// conflicts wait for a person.
#[utoipa::path(get, path = "/api/booking-providers/{id}/sync", operation_id = "syncs_get", tag = "synchronisation", params(("id" = String, Path)),
    responses((status = 200, body = SyncStatus),
        (status = 404, body = ProblemDocument)))]
pub(crate) async fn sync_of(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
) -> ApiResult<Json<Anything>> {
    Ok(Json(Anything::of(&app.engine().mirror.sync_status(&caller, id).await?)))
}

/// What to read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct SyncBody {
    /// Everything, and not only what changed.
    full: bool,
}

/// Synchronise a connection now. It goes on in the background: see where it is with GET.
#[utoipa::path(post, path = "/api/booking-providers/{id}/sync", operation_id = "syncs_start", tag = "synchronisation", request_body = SyncBody, params(("id" = String, Path)),
    responses((status = 202, body = SyncStatus), (status = 404, body = ProblemDocument)))]
pub(crate) async fn start_sync(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    Body(body): Body<SyncBody>,
) -> ApiResult<(StatusCode, Json<Anything>)> {
    Ok((
        StatusCode::ACCEPTED,
        Json(Anything::of(&app.engine().mirror.start_sync(&caller, id, body.full).await?)),
    ))
}

/// Set how a connection is kept in step: whose changes count (see the table of the modes at `SyncMode`), whose word where both disagree, what
/// ends by itself. What the provider's bookings take of anybody's time follows the new rules: in `off` and `export` it is free at once, and
/// otherwise everything is read again. One rule is the object itself; several are in `rules`, and the one with the highest priority that matches
/// a booking counts for it.
#[utoipa::path(put, path = "/api/booking-providers/{id}/sync/rules", operation_id = "sync_rules_set", tag = "synchronisation", request_body = schemas::SyncRules, params(("id" = String, Path)),
    responses((status = 200, body = SyncStatus), (status = 422, body = ProblemDocument)))]
pub(crate) async fn set_rules(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    Body(rules): Body<SyncRules>,
) -> ApiResult<Json<Anything>> {
    Ok(Json(Anything::of(&app.engine().mirror.set_sync_rules(&caller, id, rules).await?)))
}

/// Which of the tenant's connections to the provider; all, if none is named.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    #[param(value_type = Option<String>)]
    #[serde(rename = "connection_id")]
    connection: Option<ConnectionId>,
}

pub(crate) async fn connections(
    app: &App,
    caller: &berth_engine::Caller,
    provider: &PluginId,
    only: Option<ConnectionId>,
) -> ApiResult<Vec<ConnectionRecord>> {
    let provider = app.engine().connections.provider_named(provider.clone());
    let mut found = app.engine().mirror.connections_to(caller, &provider).await?;
    if let Some(only) = only {
        found.retain(|c| c.id == only);
        if found.is_empty() {
            return Err(Problem::not_found("connection to this provider").into());
        }
    }
    Ok(found)
}

/// How the synchronisation of each connection to a provider stands.
#[utoipa::path(get, path = "/api/admin/{provider}/sync-status", operation_id = "sync_statuses_list", tag = "synchronisation", params(("provider" = String, Path), Which),
    responses((status = 200, body = Page<SyncStatus>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn sync_status(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(provider): Path<PluginId>,
    Query(which): Query<Which>,
) -> ApiResult<Json<Anything>> {
    let mut items = Vec::new();
    for connection in connections(&app, &caller, &provider, which.connection).await? {
        items.push(app.engine().mirror.sync_status(&caller, connection.id).await?);
    }
    Ok(Json(Anything(json!({ "items": items }))))
}

/// Read everything of each connection to a provider, in the background.
#[utoipa::path(post, path = "/api/admin/{provider}/full-sync", operation_id = "full_syncs_start", tag = "synchronisation", params(("provider" = String, Path), Which),
    responses((status = 202, body = Page<SyncStatus>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn full_sync(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(provider): Path<PluginId>,
    Query(which): Query<Which>,
) -> ApiResult<(StatusCode, Json<Anything>)> {
    let mut items = Vec::new();
    for connection in connections(&app, &caller, &provider, which.connection).await? {
        items.push(app.engine().mirror.start_sync(&caller, connection.id, true).await?);
    }
    Ok((StatusCode::ACCEPTED, Json(Anything(json!({ "items": items })))))
}

/// What failed lately: calls into the component that did not end well, newest first.
#[utoipa::path(get, path = "/api/admin/{provider}/errors", operation_id = "sync_errors_list", tag = "synchronisation", params(("provider" = String, Path), Which),
    responses((status = 200, body = Page<Call>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn errors(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(provider): Path<PluginId>,
    Query(which): Query<Which>,
) -> ApiResult<Json<Anything>> {
    let mut items = Vec::new();
    for connection in connections(&app, &caller, &provider, which.connection).await? {
        let found =
            app.engine().connections.connection_calls(&caller, connection.id, limits::PAGE_ITEMS_MAX).await?;
        let failed = found.into_iter().filter(|call| call.get("outcome").is_some_and(|o| o != "ok"));
        items.extend(failed.map(calls::shown));
    }
    Ok(Json(Anything(json!({ "items": items }))))
}

/// Which conflicts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConflictParams {
    #[param(value_type = Option<String>)]
    #[serde(rename = "connection_id")]
    connection: Option<ConnectionId>,
    /// Also those that are resolved.
    #[serde(default)]
    all: bool,
    /// At most so many of each connection.
    limit: Option<u32>,
    /// `next` of the last page; with `connection_id`.
    cursor: Option<String>,
}

/// Where a provider and we disagree, with both versions, the latest first.
#[utoipa::path(get, path = "/api/admin/{provider}/conflicts", operation_id = "conflicts_list", tag = "synchronisation", params(("provider" = String, Path), ConflictParams),
    responses((status = 200, body = Page<ConflictView>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn conflicts(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(provider): Path<PluginId>,
    Query(params): Query<ConflictParams>,
) -> ApiResult<Json<Anything>> {
    let limit = page::items(params.limit)?;
    let before: Option<ConflictId> = page::position(params.cursor.as_ref())?;
    let of = connections(&app, &caller, &provider, params.connection).await?;
    let mut items: Vec<Conflict> = Vec::new();
    for connection in &of {
        let found =
            app.engine().mirror.list_conflicts(&caller, connection.id, before, params.all, limit).await?;
        items.extend(found);
    }
    let is_full = of.len() == 1 && items.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = items.last().filter(|_| is_full).map(|last| last.id);
    Ok(Json(Anything(json!({ "items": items, "next": next }))))
}

/// Is this a conflict with the provider?
async fn conflict_of(
    app: &App,
    caller: &berth_engine::Caller,
    provider: &PluginId,
    id: ConflictId,
) -> ApiResult<()> {
    let known = connections(app, caller, provider, None).await?;
    let conflict = app.engine().mirror.conflict_of(caller, id).await?;
    if known.iter().any(|c| c.id == conflict.connection) {
        return Ok(());
    }
    Err(Problem::not_found("conflict with this provider").into())
}

/// Which version counts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveBody {
    /// `ours`: the provider is brought to our version; `theirs`: we follow the provider's; `ignored`: neither is changed, until one of both
    /// changes. Where `own_twin` is false the provider's version is another booking: `ours` cancels it there, and `theirs` cancels ours.
    #[schema(value_type = schemas::Resolution)]
    resolution: Resolution,
}

/// End a conflict. It is looked at here first whether the version fits, then done; what the provider refuses has had no effect on either side. What was
/// done is in `done`: `nothing`, `moved_there`, `moved_here`, `moved` (both), `made_there`, `ours_cancelled`, `theirs_cancelled`; `pending` says that
/// the provider does not answer for now and is told as soon as it does.
#[utoipa::path(post, path = "/api/admin/{provider}/conflicts/{id}/resolve", operation_id = "conflicts_resolve", tag = "synchronisation", request_body = ResolveBody,
    params(("provider" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = EndedConflict), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument, description = "Resolved already, or the version does not fit: nothing was changed"),
        (status = 422, body = ProblemDocument, description = "The provider refuses it: nothing was changed")))]
pub(crate) async fn resolve(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path((provider, id)): Path<(PluginId, ConflictId)>,
    Body(body): Body<ResolveBody>,
) -> ApiResult<Json<Anything>> {
    conflict_of(&app, &caller, &provider, id).await?;
    Ok(Json(Anything::of(&app.engine().mirror.resolve_conflict(&caller, id, body.resolution).await?)))
}

/// Choose the other version of a conflict that was resolved: a booking that was moved is moved to where the other side had it, here and there.
/// Refused, without any effect, where something was cancelled or made anew, where the booking was moved since, where its time is taken, or where the
/// provider refuses.
#[utoipa::path(post, path = "/api/admin/{provider}/conflicts/{id}/revert", operation_id = "conflicts_revert", tag = "synchronisation",
    params(("provider" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = EndedConflict), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument),
        (status = 422, body = ProblemDocument)))]
pub(crate) async fn revert(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path((provider, id)): Path<(PluginId, ConflictId)>,
) -> ApiResult<Json<Anything>> {
    conflict_of(&app, &caller, &provider, id).await?;
    Ok(Json(Anything::of(&app.engine().mirror.revert_conflict(&caller, id).await?)))
}

/// What is compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReconciliationParams {
    #[param(value_type = Option<String>)]
    #[serde(rename = "connection_id")]
    connection: Option<ConnectionId>,
    /// Bookings that begin from here
    #[param(value_type = String, format = DateTime)]
    from: Instant,
    /// to here; at most 366 days.
    #[param(value_type = String, format = DateTime)]
    to: Instant,
    /// `json` or `csv`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    format: Format,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// JSON.
    #[default]
    Json,
    /// RFC 4180.
    Csv,
}

/// Bookings, times, statuses and prices of both sides compared for a period, with what differs. The provider's side is as it was read
/// last (`as_of`): start a full synchronisation before, if that is too long ago.
#[utoipa::path(get, path = "/api/admin/{provider}/reconciliation", operation_id = "reconciliations_get", tag = "synchronisation", params(("provider" = String, Path), ReconciliationParams),
    responses((status = 200, content((Page<answers::Reconciliation> = "application/json"), (String = "text/csv")),
        description = "As CSV a line per difference, and one per currency"), (status = 422, body = ProblemDocument)))]
pub(crate) async fn reconciliation(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(provider): Path<PluginId>,
    Query(params): Query<ReconciliationParams>,
) -> ApiResult<Response> {
    let within = Interval::new(params.from, params.to)
        .map_err(|_| Problem::invalid(vec![FieldError::new("to", "must not be before from")]))?;
    let mut items = Vec::new();
    for connection in connections(&app, &caller, &provider, params.connection).await? {
        items.push(app.engine().mirror.reconcile(&caller, connection.id, within).await?);
    }
    let format = params.format;
    let written = move |_: &Budget| match format {
        Format::Json => as_json(&items).map(|body| ("application/json", body)),
        Format::Csv => as_csv(&items).map(|body| ("text/csv; charset=utf-8", body)),
    };
    let (media, body) = app.engine().computing.run(caller.tenant, written).await?;
    Ok(([(header::CONTENT_TYPE, media)], body).into_response())
}

fn as_json(items: &[Reconciliation]) -> Result<Vec<u8>, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        items: &'a [Reconciliation],
    }
    serde_json::to_vec(&Answer { items })
        .map_err(|_| Problem::new(Code::Internal, "The answer could not be written."))
}

/// A line per difference, and one for the money of each currency.
fn as_csv(items: &[Reconciliation]) -> Result<Vec<u8>, Problem> {
    let failed = |_| Problem::new(Code::Internal, "The table could not be written.");
    let text = |value: &Value| if value.is_null() { String::new() } else { value.to_string() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["kind", "connection", "booking", "event_type", "external_id", "ours", "theirs"];
    writer.write_record(header).map_err(failed)?;
    for item in items {
        for difference in &item.differences {
            let line = [
                difference.kind.to_owned(),
                difference.connection.to_string(),
                difference.booking.map_or_else(String::new, |id| id.to_string()),
                difference.event_type.map_or_else(String::new, |id| id.to_string()),
                difference.external_id.clone().unwrap_or_default(),
                text(&difference.ours),
                text(&difference.theirs),
            ];
            writer.write_record(line.map(harmless)).map_err(failed)?;
        }
        for total in &item.totals {
            let sum = |minor_units: i64| {
                json!({ "minor_units": minor_units, "currency": total.currency }).to_string()
            };
            let none = String::new;
            let connection = item.connection.to_string();
            let line =
                ["total".to_owned(), connection, none(), none(), none(), sum(total.ours), sum(total.theirs)];
            writer.write_record(line).map_err(failed)?;
        }
    }
    writer.into_inner().map_err(|_| Problem::new(Code::Internal, "The table could not be written."))
}

/// Which of what the provider has.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct MirrorParams {
    /// `event_type` or `client`.
    #[param(value_type = String)]
    kind: MirrorKind,
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// What the provider has besides bookings.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MirrorKind {
    /// What can be booked.
    EventType,
    /// Who books.
    Client,
}

/// Event types or clients as the provider last said them, whole, with the time when they were read.
#[utoipa::path(get, path = "/api/booking-providers/{id}/mirror", operation_id = "external_bookings_list", tag = "synchronisation", params(("id" = String, Path), MirrorParams),
    responses((status = 200, body = Page<answers::MirroredItem>), (status = 404, body = ProblemDocument)))]
pub(crate) async fn mirror(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<ConnectionId>,
    Query(params): Query<MirrorParams>,
) -> ApiResult<Json<Anything>> {
    let limit = page::items(params.limit)?;
    let kind = match params.kind {
        MirrorKind::EventType => ItemKind::EventType,
        MirrorKind::Client => ItemKind::Client,
    };
    let after = params.cursor.unwrap_or_default();
    let items: Vec<MirroredItem> =
        app.engine().mirror.mirrored_items(&caller, id, kind, &after, limit).await?;
    let is_full = items.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = items.last().filter(|_| is_full).map(|last| last.external_id.clone());
    Ok(Json(Anything(json!({ "items": items, "next": next }))))
}
