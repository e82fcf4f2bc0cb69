//! The gate as wasmtime's `wasi:http` calls it.

use std::{future::Future, sync::Arc};

use http::{HeaderName, Request, Response, uri::Scheme};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};

use super::{CallEgress, policy};

type Background = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for CallEgress {
    /// The closure, not only `is_forbidden_header`: some paths of wasmtime use this one alone (GHSA-jxcf-8qw5-5c33).
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        let call = Arc::clone(&self.call);
        Arc::new(move |name: &HeaderName| {
            if DEFAULT_FORBIDDEN_HEADERS.contains(name) {
                return true;
            }
            let forbidden = policy::is_host_header(&call.manifest, name);
            if forbidden {
                call.records.refused_header(name);
            }
            forbidden
        })
    }

    /// Plain http passes here and is refused in [`policy::decide`] unless the operator's configuration names the host:
    /// there the refusal is recorded, with a hint.
    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        *scheme == Scheme::HTTPS || *scheme == Scheme::HTTP
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Background,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Background), Error>> + Send> {
        let call = Arc::clone(&self.call);
        Box::new(async move {
            let response = call.send(request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Background))
        })
    }
}
