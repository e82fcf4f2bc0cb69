//! The audit log: who did what, when, from which request.

use axum::{Json, extract::State};
use berth_model::{
    bookings::lists::Bound, id::AuditEntryId, tenants::audit::referring, time::Instant, zone::Zone,
};
use berth_store::records::{AuditEntry, AuditFilter, AuditPage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::{
    app::App,
    auth::AsTenant,
    extract::Query,
    page::{self, Page},
    problem::{ApiResult, ProblemDocument},
    within::{between, zone_of_days},
};

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// Kind of what was changed.
    #[param(example = "booking")]
    subject_kind: Option<String>,
    /// What was changed.
    #[param(value_type = Option<String>)]
    subject_id: Option<Uuid>,
    /// Who did it.
    #[param(example = "key:0193b3f0-0000-7000-8000-000000000001")]
    actor: Option<String>,
    /// What was done.
    #[param(example = "booking.cancelled")]
    action: Option<String>,
    /// At this instant or later, or from this day on.
    #[param(value_type = Option<String>, example = "2026-11-01")]
    from: Option<Bound>,
    /// Before this instant, or to the end of this day.
    #[param(value_type = Option<String>, example = "2026-11-30")]
    to: Option<Bound>,
    /// The zone whose days `from` and `to` are, if they are days.
    #[param(value_type = Option<String>, example = "Europe/Warsaw")]
    time_zone: Option<Zone>,
    /// Entries wanted, 1 to 200 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// A change of state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct EntryView {
    #[schema(value_type = String)]
    id: AuditEntryId,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// `key:<id>`, `job:<id>`, `provider:<plugin>`, `system`, …
    actor: String,
    /// Of the request that it came with, as the log has it.
    request_id: String,
    /// `booking.created`, `connection.updated`, …
    action: String,
    /// `booking`, `connection`, …
    subject_kind: String,
    subject_id: Uuid,
    /// What changed, as far as it refers: ids, instants, numbers, states.
    data: Map<String, Value>,
    /// Names of what changed besides. What people wrote (reasons, names, notes) is not quoted here: it stands on what was changed.
    withheld: Vec<String>,
}

impl From<AuditEntry> for EntryView {
    fn from(entry: AuditEntry) -> Self {
        let of = referring(entry.data);
        Self {
            id: entry.audit.id,
            at: entry.audit.at,
            actor: entry.audit.actor,
            request_id: entry.audit.request_id,
            action: entry.action,
            subject_kind: entry.subject_kind,
            subject_id: entry.subject_id,
            data: of.data,
            withheld: of.withheld,
        }
    }
}

/// What was changed, by whom, from which request, the latest first. A page may have fewer entries than asked for, and a `next`: entries that
/// match are looked for among ten thousand at a time.
#[utoipa::path(get, path = "/api/audit", tag = "tenant", operation_id = "audit_entries_list", params(AuditParams),
    responses((status = 200, body = Page<EntryView>), (status = 400, body = ProblemDocument)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<AuditParams>,
) -> ApiResult<Json<Page<EntryView>>> {
    let limit = page::items(params.limit)?;
    let before = page::position::<AuditEntryId>(params.cursor.as_ref())?;
    let zone = zone_of_days(params.time_zone, &[params.from, params.to])?;
    let ends = (params.from.map(|from| from.begins(zone)), params.to.map(|to| to.ends(zone)));
    let filter = AuditFilter {
        subject_kind: params.subject_kind,
        subject_id: params.subject_id,
        actor: params.actor,
        action: params.action,
        within: between(("from", "to"), ends)?,
    };
    let AuditPage { entries, next } =
        app.engine().tenants.audit_entries(caller.tenant, filter, before, limit).await?;
    Ok(Json(Page {
        items: entries.into_iter().map(EntryView::from).collect(),
        next: next.as_ref().and_then(page::cursor),
    }))
}
