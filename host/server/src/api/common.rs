//! What operations have in common, written into their description from the tables that the code itself goes by: the scope that a key needs, and
//! the refusals that any operation of its kind may answer.

use axum::http::Method;
use berth_model::{problem::Code, tenants::scope::Scope};
use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder,
    path::{Operation, PathItem},
    security::SecurityRequirement,
};

const PROBLEM: &str = "application/problem+json";

/// Refusals that are described once: name, status.
const SHARED: [(&str, u16); 10] = [
    ("BadRequest", 400),
    ("Unauthorized", 401),
    ("Forbidden", 403),
    ("NotFound", 404),
    ("Conflict", 409),
    ("PayloadTooLarge", 413),
    ("UnsupportedMediaType", 415),
    ("UnprocessableContent", 422),
    ("TooManyRequests", 429),
    ("ServiceUnavailable", 503),
];

/// What any key may ask, whatever its scopes.
const ANY_KEY: [&str; 1] = [super::tenants::me::PATH];

/// Write it into all operations. One that has no scope here needs no key.
pub(super) fn describe(document: &mut OpenApi, rights: &[((Method, String), Scope)]) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let scope =
                rights.iter().find(|((of, at), _)| *of == method && at == path).map(|(_, scope)| *scope);
            let keyed = scope.is_some() || ANY_KEY.contains(&path.as_str());
            secure(operation, scope, keyed);
            for (name, status) in SHARED {
                if may_answer(operation, (&method, path), keyed, status) {
                    let reference = RefOr::Ref(Ref::from_response_name(name));
                    operation.responses.responses.entry(status.to_string()).or_insert(reference);
                }
            }
            for answer in operation.responses.responses.values_mut() {
                if let RefOr::T(answer) = answer {
                    as_problem(answer);
                }
            }
        }
    }
    let components = document.components.get_or_insert_default();
    for (name, status) in SHARED {
        components.responses.insert(name.to_owned(), RefOr::T(shared(status)));
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    [
        (Method::GET, get),
        (Method::POST, post),
        (Method::PUT, put),
        (Method::PATCH, patch),
        (Method::DELETE, delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn secure(operation: &mut Operation, scope: Option<Scope>, keyed: bool) {
    operation.security = Some(match scope {
        Some(scope) => vec![SecurityRequirement::new("api_key", [scope.as_str()])],
        None if keyed => vec![SecurityRequirement::new("api_key", Vec::<String>::new())],
        None => Vec::new(),
    });
}

/// May an operation answer with it, whatever it does? Whoever has no key may ask as often as their address may; a database can be away.
fn may_answer(operation: &Operation, (method, path): (&Method, &str), keyed: bool, status: u16) -> bool {
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.iter().any(|of| !of.is_empty());
    match status {
        400 => has_body || has_parameters,
        401 | 403 => keyed,
        // What is asked for, or what the body refers to.
        404 => path.contains('{') || has_body && keyed,
        // An Idempotency-Key that is in use, or was another request's.
        409 => *method != Method::GET,
        413 | 415 => has_body,
        422 => has_body || has_parameters || *method == Method::POST,
        429 => keyed || path.starts_with("/api/"),
        503 => path.starts_with("/api/"),
        _ => false,
    }
}

/// Problem documents have a media type of their own (RFC 9457, section 3).
fn as_problem(answer: &mut Response) {
    let is_problem = answer.content.get("application/json").is_some_and(|content| {
        let RefOr::T(content) = content else { return false };
        matches!(&content.schema, Some(RefOr::Ref(of)) if of.ref_location.ends_with("/ProblemDocument"))
    });
    if is_problem && let Some(content) = answer.content.shift_remove("application/json") {
        answer.content.insert(PROBLEM.to_owned(), content);
    }
}

/// A refusal with all codes of its status.
fn shared(status: u16) -> Response {
    let codes: Vec<_> = Code::ALL.iter().filter(|code| code.status() == status).collect();
    let lines: Vec<_> =
        codes.iter().map(|code| format!("- `{}`: {}.", code.as_str(), code.title())).collect();
    let schema = Ref::from_schema_name("ProblemDocument");
    ResponseBuilder::new()
        .description(lines.join("\n"))
        .content(PROBLEM, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{document, keyed_documented};
    use super::*;

    #[test]
    fn every_operation_with_a_key_says_which_scope() {
        let keyed = keyed_documented();
        let rights = keyed.rights().to_vec();
        let mut document = keyed.document(OpenApi::default());
        for (path, item) in &mut document.paths.paths {
            for (method, _) in operations(item).filter(|_| !ANY_KEY.contains(&path.as_str())) {
                assert!(rights.iter().any(|((of, at), _)| *of == method && at == path), "{method} {path}");
            }
        }
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let mut document = document();
        let mut names = BTreeSet::new();
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                let name = operation.operation_id.clone().unwrap_or_default();
                assert!(name.contains('_'), "{method} {path} is called {name}: <resource>_<verb> is asked");
                assert!(names.insert(name.clone()), "{name} stands twice");
            }
        }
    }
}
