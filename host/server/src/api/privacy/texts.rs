//! Texts that people consent to.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use berth_engine::ConsentTextDraft;
use berth_model::{hex::to_hex, id::ConsentTextId, privacy::ConsentText, time::Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    app::App,
    auth::AsTenant,
    extract::{Json as Body, Query},
    page::{self, Page},
    problem::{ApiResult, ProblemDocument},
};

/// A text that people consent to. It is never changed: another text is another version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConsentText, example = json!({
    "id": "019387c1-5a10-7cc4-9df6-3b6f0e2a7c12", "purpose": "marketing", "language": "en", "version": 1,
    "text": "We may write to you about offers, at most once a month.",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "published_at": "2026-11-30T09:00:00Z",
}))]
pub(crate) struct View {
    #[schema(value_type = String)]
    id: ConsentTextId,
    /// `data_sync`, `appointment_history`, `contact_info`, `service_preferences`, `marketing`.
    purpose: String,
    /// BCP 47 tag, in small letters.
    language: String,
    /// Counts the texts of this purpose in this language.
    version: i64,
    text: String,
    /// SHA-256 of the text, in hexadecimal digits.
    sha256: String,
    #[schema(value_type = String, format = DateTime)]
    published_at: Instant,
}

impl From<ConsentText> for View {
    fn from(text: ConsentText) -> Self {
        Self {
            id: text.id,
            purpose: text.purpose,
            language: text.language,
            version: text.version,
            sha256: to_hex(&text.sha256),
            text: text.text,
            published_at: text.published_at,
        }
    }
}

/// A text to be published.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewConsentText, example = json!({
    "purpose": "marketing", "language": "en", "text": "We may write to you about offers, at most once a month.",
}))]
pub(crate) struct New {
    /// `data_sync`, `appointment_history`, `contact_info`, `service_preferences`, `marketing`.
    purpose: String,
    /// BCP 47 tag.
    language: String,
    /// What people read; at most 20,000 characters.
    text: String,
}

/// Which texts are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// For this purpose.
    purpose: Option<String>,
    /// In this language.
    language: Option<String>,
    /// Items wanted, 1 to 200 (50).
    limit: Option<u32>,
    /// `next` of the last page.
    cursor: Option<String>,
}

/// Publish a text: the next version of its purpose and language. One that says what the latest version says is that version (200).
#[utoipa::path(post, path = "/api/privacy/texts", operation_id = "consent_texts_publish", tag = "privacy", request_body = New,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats with the same key get the first answer")),
    responses((status = 201, body = View, description = "A new version"), (status = 200, body = View, description = "The latest version says the same"),
        (status = 422, body = ProblemDocument, description = "`BERTH-E0545` names the purposes")))]
pub(crate) async fn publish(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Body(new): Body<New>,
) -> ApiResult<Response> {
    let draft = ConsentTextDraft { purpose: new.purpose, language: new.language, text: new.text };
    let (text, is_new) = app.engine().privacy.publish_consent_text(&caller, draft).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(View::from(text))).into_response())
}

/// Texts that were published, by age.
#[utoipa::path(get, path = "/api/privacy/texts", operation_id = "consent_texts_list", tag = "privacy", params(ListParams),
    responses((status = 200, body = Page<View>), (status = 422, body = ProblemDocument)))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Query(params): Query<ListParams>,
) -> ApiResult<Json<Page<View>>> {
    let limit = page::items(params.limit)?;
    let after = page::position(params.cursor.as_ref())?;
    let of = (params.purpose.as_deref(), params.language.as_deref());
    let rows = app.engine().privacy.list_consent_texts(&caller, of, after, limit.saturating_add(1)).await?;
    Ok(Json(page::page(rows, limit, |text| text.id, View::from)))
}
