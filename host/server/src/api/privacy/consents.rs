//! What a customer agreed to.

use std::net::IpAddr;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::{ConsentEvidence, GiveConsent, WithdrawConsent};
use berth_model::{
    id::{ConsentId, ConsentTextId, CustomerId},
    privacy::{Consent, ConsentState, PURPOSES, state},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schemas;
use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{Json as Body, Path, Query},
    page::{self, Page, PageParams},
    problem::{ApiResult, ProblemDocument},
};

/// What a customer said, once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Consent)]
pub(crate) struct View {
    #[schema(value_type = String)]
    id: ConsentId,
    #[schema(value_type = String)]
    customer_id: CustomerId,
    purpose: String,
    /// Given, or withdrawn.
    given: bool,
    /// The text that they agreed to; null of a withdrawal.
    #[schema(value_type = Option<String>)]
    text_id: Option<ConsentTextId>,
    /// Where: a page, a form, a letter.
    source: String,
    /// The network that it came from; the address itself is not kept.
    ip_network: Option<String>,
    user_agent: Option<String>,
    /// Until when it holds; null of a withdrawal.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

impl From<Consent> for View {
    fn from(c: Consent) -> Self {
        Self {
            id: c.id,
            customer_id: c.customer,
            purpose: c.purpose,
            given: c.given,
            text_id: c.text,
            source: c.source,
            ip_network: c.ip_truncated,
            user_agent: c.user_agent,
            expires_at: c.expires_at,
            at: c.at,
        }
    }
}

/// How a purpose stands with a customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConsentStanding)]
pub(crate) struct Standing {
    purpose: &'static str,
    /// What a consent allows, for people.
    allows: &'static str,
    /// `never` if nothing was said, `given`, `expired`, `withdrawn`.
    #[schema(value_type = schemas::ConsentState)]
    state: ConsentState,
    /// What was said last; null if nothing was.
    last: Option<View>,
}

/// What a customer agreed to: how each purpose stands, and everything that was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerConsents)]
pub(crate) struct Consents {
    /// Each purpose, as it stands now.
    purposes: Vec<Standing>,
    /// Everything that was said, by purpose and then in its order: a page of it.
    history: Page<View>,
}

/// A consent that a customer gives.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GiveConsent, example = json!({
    "purpose": "marketing", "text_id": "019387c1-5a10-7cc4-9df6-3b6f0e2a7c12", "language": "en", "source": "checkout",
    "ip_address": "192.0.2.77", "user_agent": "Mozilla/5.0",
}))]
pub(crate) struct Give {
    /// `data_sync`, `appointment_history`, `contact_info`, `service_preferences`, `marketing`.
    purpose: String,
    /// The text that they read.
    #[schema(value_type = String)]
    text_id: ConsentTextId,
    /// The language in which they read it: must be the text's.
    #[serde(default)]
    language: Option<String>,
    /// Where: a page, a form, a letter; 1 to 100 characters.
    source: String,
    /// Whence: its network is kept, and a keyed hash of it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "192.0.2.77")]
    ip_address: Option<IpAddr>,
    #[serde(default)]
    user_agent: Option<String>,
    /// Until when it holds, at most 10 years; absent: for 24 months.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
}

/// A consent that a customer takes back, or refuses.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithdrawConsent, example = json!({ "purpose": "marketing", "source": "letter" }))]
pub(crate) struct Withdraw {
    /// `data_sync`, `appointment_history`, `contact_info`, `service_preferences`, `marketing`.
    purpose: String,
    /// Where: a page, a form, a letter; 1 to 100 characters.
    source: String,
    /// Whence: its network is kept, and a keyed hash of it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "192.0.2.77")]
    ip_address: Option<IpAddr>,
    #[serde(default)]
    user_agent: Option<String>,
}

/// What a customer agreed to. The last word on a purpose counts; a consent that is over is shown as `expired`.
#[utoipa::path(get, path = "/api/customers/{id}/consents", operation_id = "consents_list", tag = "privacy", params(("id" = String, Path), PageParams),
    responses((status = 200, body = Consents), (status = 404, body = ProblemDocument), (status = 410, body = ProblemDocument, description = "Part of another customer, whom `customer_id` names")))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
    Query(params): Query<PageParams>,
) -> ApiResult<Json<Consents>> {
    let limit = page::items(params.limit)?;
    let after: Option<(String, i64)> = page::position(params.cursor.as_ref())?;
    let mut current = app.engine().privacy.current_consents(&caller, id).await?;
    let rows = app.engine().privacy.consent_history(&caller, id, after, limit.saturating_add(1)).await?;
    let now = app.engine().now();
    let purposes = PURPOSES.iter().map(|purpose| {
        let found = current.iter().position(|consent| consent.purpose == purpose.name);
        let last = found.map(|found| current.swap_remove(found));
        let state = state(last.as_ref(), now);
        Standing { purpose: purpose.name, allows: purpose.allows, state, last: last.map(View::from) }
    });
    let purposes = purposes.collect();
    Ok(Json(Consents {
        purposes,
        history: page::page(rows, limit, |c| (c.purpose.clone(), c.ordinal), View::from),
    }))
}

/// A customer agrees to a text.
#[utoipa::path(post, path = "/api/customers/{id}/consents", operation_id = "consents_give", tag = "privacy", request_body = Give,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Repeats with the same key get the first answer")),
    responses((status = 201, body = View), (status = 404, body = ProblemDocument), (status = 410, body = ProblemDocument, description = "Part of another customer, whom `customer_id` names"),
        (status = 422, body = ProblemDocument, description = "`BERTH-E0545`: no such purpose; `BERTH-E0546`: the text is for another purpose or in another language; `BERTH-E0547`: there is no such text")))]
pub(crate) async fn give(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
    Body(give): Body<Give>,
) -> ApiResult<Response> {
    let Give { purpose, text_id, language, source, ip_address, user_agent, expires_at } = give;
    let evidence = ConsentEvidence { source, ip_address, user_agent };
    let give = GiveConsent { purpose, text: text_id, language, expires_at, evidence };
    let consent = app.engine().privacy.give_consent(&caller, id, give).await?;
    Ok((StatusCode::CREATED, Json(View::from(consent))).into_response())
}

/// A customer takes a consent back, or refuses one that was never given: what they said last counts, at once.
#[utoipa::path(post, path = "/api/customers/{id}/consents/withdraw", operation_id = "consents_withdraw", tag = "privacy", request_body = Withdraw,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Repeats with the same key get the first answer")),
    responses((status = 201, body = View), (status = 404, body = ProblemDocument), (status = 410, body = ProblemDocument, description = "Part of another customer, whom `customer_id` names"),
        (status = 422, body = ProblemDocument, description = "`BERTH-E0545` names the purposes")))]
pub(crate) async fn withdraw(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<CustomerId>,
    Body(withdraw): Body<Withdraw>,
) -> ApiResult<Response> {
    let Withdraw { purpose, source, ip_address, user_agent } = withdraw;
    let evidence = ConsentEvidence { source, ip_address, user_agent };
    let consent =
        app.engine().privacy.withdraw_consent(&caller, id, WithdrawConsent { purpose, evidence }).await?;
    Ok((StatusCode::CREATED, Json(View::from(consent))).into_response())
}
