//! Requests over `wasi:http`, through Berth's egress gate.

use wasip2::{
    http::{
        outgoing_handler,
        types::{
            ErrorCode, Fields, IncomingResponse, Method as WasiMethod, OutgoingBody, OutgoingRequest,
            RequestOptions, Scheme,
        },
    },
    io::streams::StreamError,
};

use super::{
    message::{Method, Request, Response},
    transport::{SendError, Transport},
};
use crate::{limits, time, types::Instant};

/// What `blocking-write-and-flush` takes at once, in bytes (`wasi:io` 0.2).
const WRITE_BYTES_MAX: usize = 4_096;
/// What is asked for at once when reading, in bytes.
const READ_BYTES_MAX: u64 = 64 * 1_024;
/// Nanoseconds in a millisecond: the unit of `wasi:http` time limits is the nanosecond.
const MS_NS: u64 = 1_000_000;

/// The transport of a component. In a native test the script of the thread stands in for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Live;

impl Transport for Live {
    fn send(&self, request: &Request) -> Result<Response, SendError> {
        let body = request.body.as_deref().unwrap_or_default();
        let outgoing = outgoing(request)?;
        let stream = outgoing.body().map_err(|()| failed("the request has no body to write to"))?;
        let future = outgoing_handler::handle(outgoing, Some(options()?)).map_err(|e| refusal(&e))?;
        let written = write(stream, body);
        future.subscribe().block();
        match (future.get(), written) {
            // The other side has heard enough of the body; its answer says why.
            (Some(Ok(Ok(response))), _) => read(&response),
            // A body that broke off is what follows from a refusal, not its reason.
            (Some(Ok(Err(ErrorCode::HttpRequestBodySize(_)))), Err(broke_off)) => Err(broke_off),
            (Some(Ok(Err(error))), _) => Err(refusal(&error)),
            (Some(Err(())) | None, _) => Err(failed("the answer was taken already")),
        }
    }

    fn now(&self) -> Instant {
        time::now()
    }
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, SendError> {
    let mut headers: Vec<_> =
        request.headers.iter().map(|(n, v)| (n.clone(), v.clone().into_bytes())).collect();
    if let Some(body) = &request.body {
        headers.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
    }
    let fields =
        Fields::from_list(&headers).map_err(|e| denied(&format!("a header cannot be sent: {e:?}")))?;
    let (scheme, rest) = request.url.split_once("://").ok_or_else(|| denied("the URL has no scheme"))?;
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(path_at).unwrap_or((rest, ""));
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    let outgoing = OutgoingRequest::new(fields);
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        other => Scheme::Other(other.to_owned()),
    };
    outgoing
        .set_method(&method(request.method))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&target)))
        .map_err(|()| denied("the URL is not valid"))?;
    Ok(outgoing)
}

fn method(method: Method) -> WasiMethod {
    match method {
        Method::Get => WasiMethod::Get,
        Method::Post => WasiMethod::Post,
        Method::Put => WasiMethod::Put,
        Method::Patch => WasiMethod::Patch,
        Method::Delete => WasiMethod::Delete,
        other @ (Method::Propfind | Method::Report) => WasiMethod::Other(other.as_str().to_owned()),
    }
}

fn options() -> Result<RequestOptions, SendError> {
    let options = RequestOptions::new();
    options
        .set_connect_timeout(Some(limits::CONNECT_MS_MAX * MS_NS))
        .and_then(|()| options.set_first_byte_timeout(Some(limits::FIRST_BYTE_MS_MAX * MS_NS)))
        .and_then(|()| options.set_between_bytes_timeout(Some(limits::BETWEEN_BYTES_MS_MAX * MS_NS)))
        .map_err(|()| denied("the time limits are not accepted"))?;
    Ok(options)
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), SendError> {
    let stream = body.write().map_err(|()| failed("the body cannot be written"))?;
    for piece in bytes.chunks(WRITE_BYTES_MAX) {
        match stream.blocking_write_and_flush(piece) {
            Ok(()) => {}
            // Nobody reads any further; what became of the request says why.
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(e)) => return Err(failed(&e.to_debug_string())),
        }
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|e| refusal(&e))
}

fn read(response: &IncomingResponse) -> Result<Response, SendError> {
    let status = response.status();
    let headers = response.headers().entries();
    let headers = headers.into_iter().map(|(n, v)| (n, String::from_utf8_lossy(&v).into_owned())).collect();
    let incoming = response.consume().map_err(|()| failed("the answer was read already"))?;
    let stream = incoming.stream().map_err(|()| failed("the answer was read already"))?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES_MAX) {
            Ok(piece) => body.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(Response { status, headers, body }),
            Err(StreamError::LastOperationFailed(e)) => return Err(failed(&e.to_debug_string())),
        }
        if body.len() > limits::BODY_IN_BYTES_MAX {
            return Err(SendError::TooLarge);
        }
    }
}

/// Only what the gate itself refuses is surely unsent.
fn refusal(error: &ErrorCode) -> SendError {
    match error {
        ErrorCode::HttpRequestDenied => {
            denied("Berth does not let this plugin reach that address; an operator can grant the host")
        }
        ErrorCode::ConfigurationError => {
            denied("a credential of this connection cannot be used; its calls say which and why")
        }
        ErrorCode::DestinationIpProhibited => denied("the address leads into a private network"),
        ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestHeaderSectionSize(_) => {
            denied(&format!("Berth refused the request: {error:?}"))
        }
        ErrorCode::HttpResponseBodySize(_) => SendError::TooLarge,
        other => failed(&format!("{other:?}")),
    }
}

fn denied(why: &str) -> SendError {
    SendError::Denied(why.to_owned())
}

fn failed(why: &str) -> SendError {
    SendError::Failed(why.to_owned())
}
