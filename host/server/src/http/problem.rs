//! Problem documents (RFC 9457).

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_model::problem::{Code, FieldError, Problem};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::monitoring::errors;

/// A refusal on its way to the caller.
#[derive(Debug)]
pub(crate) struct ApiError(pub(crate) Problem);

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// The result of a handler.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// A parameter that does not fit.
pub(crate) fn wrong(name: &str, why: impl Into<String>) -> Problem {
    Problem::parameter(FieldError::new(name, why))
}

/// A refusal as it is sent (`application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDocument {
    /// Address of the code's description, on the same server.
    #[serde(rename = "type")]
    kind: String,
    /// Constant title of the code.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// Stable code, such as `BERTH-E0404`.
    code: &'static str,
    /// What happened here.
    detail: String,
    /// What to do.
    hint: String,
    /// Fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// Further members, for example `alternatives`.
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// One field that is not acceptable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// JSON Pointer into the body, or the parameter's name.
    field: String,
    /// What is wrong and what is allowed.
    message: String,
}

/// What is sent of a problem, but for its header fields.
pub(crate) fn document(problem: Problem) -> ProblemDocument {
    let code = problem.code;
    ProblemDocument {
        kind: format!("{}#{}", errors::PATH, code.as_str()),
        title: code.title(),
        status: code.status(),
        code: code.as_str(),
        detail: problem.detail,
        hint: problem.hint.unwrap_or_else(|| code.hint().to_owned()),
        errors: problem
            .errors
            .into_iter()
            .map(|e| FieldProblem { field: e.field, message: e.message })
            .collect(),
        extra: problem.extra,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (code, retry_after_seconds) = (self.0.code, self.0.retry_after_seconds);
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response: Response<Body> = (status, Json(document(self.0))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if code == Code::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
