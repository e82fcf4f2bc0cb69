//! Taking over a provider's event types and clients.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use berth_engine::{ImportRequest, ImportedItem};
use berth_model::{
    id::{ConnectionId, ListingId, MemberId},
    limits,
    mirror::imports::{ImportAction, Imported},
    problem::{FieldError, Problem},
    tenants::scope::Scope,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::{
    app::App,
    auth::{AsTenant, Authenticated},
    contacts::Words,
    extract::{Json as Body, Path},
    page,
    problem::{ApiResult, ProblemDocument},
};

/// Is it done?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImportMode {
    /// No: what would be done is shown.
    Preview,
    /// Yes.
    Apply,
}

/// What is to be taken over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "what": ["event_types", "clients"], "mode": "preview" }))]
pub(crate) struct NewImport {
    /// `event_types`, `clients`: one or both, in this order.
    #[schema(value_type = Vec<String>)]
    what: Vec<String>,
    /// `preview` shows what `apply` would do.
    mode: ImportMode,
    /// Whose event types they become; absent: the listing that the connection is for, or the only one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    listing_id: Option<ListingId>,
    /// Who can be booked for event types that are made; absent: the member whom the rules of synchronisation name, or the only one.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    member_ids: Vec<MemberId>,
    /// `digest` of the preview of the same page: refused (`BERTH-E0559`) if something changed since.
    #[serde(default)]
    digest: Option<String>,
    /// `next` of the last page.
    #[serde(default)]
    cursor: Option<String>,
}

/// What becomes of one thing of the provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportItemView {
    /// `event_types`, `clients`.
    #[schema(value_type = String)]
    what: Imported,
    /// Its id at the provider.
    external_id: String,
    #[schema(value_type = String)]
    title: Words,
    /// `create`: it is made here; `link`: what is here is tied to it; `update`: what is tied to it becomes like it; `unchanged`; `refused`.
    #[schema(value_type = String)]
    action: ImportAction,
    /// Why it is refused.
    #[schema(value_type = Option<String>)]
    reason: Option<Words>,
    /// The event type here; null while it is to be made.
    #[schema(value_type = Option<String>)]
    event_type_id: Option<Uuid>,
    /// The customer here; null while they are to be made.
    #[schema(value_type = Option<String>)]
    customer_id: Option<Uuid>,
}

impl From<ImportedItem> for ImportItemView {
    fn from(item: ImportedItem) -> Self {
        let of = |what: Imported| item.id.filter(|_| item.what == what);
        Self {
            event_type_id: of(Imported::EventTypes),
            customer_id: of(Imported::Clients),
            what: item.what,
            external_id: item.external_id,
            title: Words(item.title),
            action: item.action,
            reason: item.reason.map(Words),
        }
    }
}

/// What becomes of a page of the provider's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportView {
    mode: ImportMode,
    items: Vec<ImportItemView>,
    /// How many of each action there are on this page.
    counts: BTreeMap<String, u32>,
    /// Of what this page comes to: give it back with `apply`.
    digest: String,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What is named, each once.
fn named(what: &[String]) -> Result<Vec<Imported>, Problem> {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for (i, name) in what.iter().enumerate().take(limits::IMPORTED_KINDS_MAX) {
        match name.as_str() {
            "event_types" => found.push(Imported::EventTypes),
            "clients" => found.push(Imported::Clients),
            "members" => errors.push(FieldError::new(
                format!("/what/{i}"),
                "cannot be taken over: no provider lists its members in a form that all share; add them at /api/booking/team",
            )),
            _ => errors.push(FieldError::new(format!("/what/{i}"), "must be event_types or clients")),
        }
    }
    let once = found.iter().collect::<std::collections::BTreeSet<_>>().len() == found.len();
    if errors.is_empty() && (found.is_empty() || !once || what.len() > limits::IMPORTED_KINDS_MAX) {
        errors.push(FieldError::new("/what", "must name event_types, clients or both, each once"));
    }
    if errors.is_empty() { Ok(found) } else { Err(Problem::invalid(errors)) }
}

/// Take over what a provider has: its event types become event types of a listing, tied to it through `external`, its clients become customers, who
/// are recognised as those of bookings are. One page of the provider's for each call: go on with `cursor` until there is no `next`. A preview says
/// what would become of each; applied twice nothing changes, and nothing is ever deleted. Event types that are tied follow title and length alone.
/// Each kind needs the scope of what it writes besides: `listings:write` and `customers:write`.
#[utoipa::path(post, path = "/api/booking-providers/{id}/import", operation_id = "provider_imports_create", tag = "synchronisation", request_body = NewImport,
    params(("id" = String, Path)),
    responses((status = 200, body = ImportView), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument, description = "It is not as the preview showed it (`BERTH-E0559`): nothing of this page was done"),
        (status = 422, body = ProblemDocument, description = "Fields are wrong, or the provider does not list this")))]
pub(crate) async fn import(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    key: Authenticated,
    Path(id): Path<ConnectionId>,
    Body(new): Body<NewImport>,
) -> ApiResult<Json<ImportView>> {
    let what = named(&new.what)?;
    for one in &what {
        key.check(match one {
            Imported::EventTypes => Scope::ListingsWrite,
            Imported::Clients => Scope::CustomersWrite,
        })?;
    }
    let most = limits::EVENT_TYPE_MEMBERS_MAX;
    if new.member_ids.len() > most {
        return Err(Problem::invalid(vec![FieldError::new(
            "/member_ids",
            format!("must be at most {most}"),
        )])
        .into());
    }
    let request = ImportRequest {
        what,
        apply: new.mode == ImportMode::Apply,
        listing: new.listing_id,
        members: new.member_ids,
        digest: new.digest,
        after: page::position(new.cursor.as_ref())?,
    };
    let report = app.engine().mirror.import_page(&caller, id, request).await?;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for item in &report.items {
        let name = serde_json::to_value(item.action).unwrap_or_default();
        let of = counts.entry(name.as_str().unwrap_or_default().to_owned()).or_default();
        *of = of.saturating_add(1);
    }
    Ok(Json(ImportView {
        mode: new.mode,
        counts,
        digest: report.digest,
        next: report.next.as_ref().and_then(page::cursor),
        items: report.items.into_iter().map(Into::into).collect(),
    }))
}
