//! Bodies are read here, as far as their route allows and as far as there is room: many large ones at once must not take the memory of
//! everybody. What has arrived counts, not what was announced, so that a slow sender holds no more than it has sent.

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use berth_model::{
    id::Id,
    limits,
    problem::{Code, Problem},
};
use futures_util::StreamExt;
use uuid::Uuid;

use super::{app::App, auth::Authenticated, body::unreadable, problem::ApiError, room::Share};

/// How long a body a route takes.
fn bytes_max(route: &str) -> usize {
    match route {
        "/api/operator/plugins" => limits::COMPONENT_BYTES_MAX,
        "/api/booking/availability/compute" => limits::COMPUTE_BODY_BYTES_MAX,
        "/api/booking/holidays/import" => limits::HOLIDAY_FILE_BYTES_MAX,
        route if route.starts_with("/api/webhooks/") => limits::WEBHOOK_BODY_BYTES_MAX,
        _ => limits::API_BODY_BYTES_MAX,
    }
}

/// Read the body, then go on with it in one piece. It counts until the request is answered.
pub(crate) async fn buffered(State(app): State<App>, request: Request, next: Next) -> Response {
    let most = bytes_max(request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str));
    let caller = request.extensions().get::<Authenticated>();
    // Whoever has no key shares what is left to those who have none.
    let holder =
        caller.map_or_else(Uuid::nil, |caller| caller.key.tenant.map_or(caller.key.id.uuid(), Id::uuid));
    let mut share = app.bodies().share_of(holder);
    let (parts, body) = request.into_parts();
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match read(body, announced, most, &mut share).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(problem) => ApiError(problem).into_response(),
    }
}

async fn read(body: Body, announced: Option<u64>, most: usize, share: &mut Share) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::TooLarge, format!("A body may be at most {most} bytes here."));
    if announced.is_some_and(|bytes: u64| !usize::try_from(bytes).is_ok_and(|bytes| bytes <= most)) {
        return Err(too_large());
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut pieces = body.into_data_stream();
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| unreadable(&error, most))?;
        if all.len().saturating_add(piece.len()) > most {
            return Err(too_large());
        }
        share.take(piece.len())?;
        all.extend_from_slice(&piece);
    }
    Ok(all.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::room::Room;

    #[tokio::test]
    async fn a_body_ends_where_its_route_ends() {
        let room = Room::default();
        let read_of = async |bytes: usize, announced: Option<u64>, most: usize| {
            let mut share = room.share_of(Uuid::nil());
            read(Body::from(vec![b'x'; bytes]), announced, most, &mut share).await.map(|body| body.len())
        };
        assert_eq!(read_of(10, None, 10).await, Ok(10));
        assert_eq!(read_of(11, None, 10).await.unwrap_err().code, Code::TooLarge);
        assert_eq!(read_of(0, Some(u64::MAX), 10).await.unwrap_err().code, Code::TooLarge);
        let broken = futures_util::stream::iter([Ok("{"), Err(std::io::Error::other("gone"))]);
        let mut share = room.share_of(Uuid::nil());
        let broken = read(Body::from_stream(broken), None, 10, &mut share).await.unwrap_err();
        assert_eq!(broken.code, Code::MalformedRequest, "it broke off; it was not too large");
    }
}
