//! Egress, until the gate is merged: every request is refused.

use std::sync::Arc;

use berth_model::{
    manifest::Manifest,
    provider::{CallContext, EgressRecord},
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Lets nothing through.
pub struct Gate;

/// The requests of a call: none.
#[derive(Clone)]
pub struct Records;
impl Records {
    /// All.
    pub fn snapshot(&self) -> Vec<EgressRecord> {
        Vec::new()
    }
}

/// The hooks of one call.
pub struct CallEgress;
impl CallEgress {
    /// The hooks of a call.
    pub fn new(_: Arc<Gate>, _: &CallContext, _: Arc<Manifest>) -> Self {
        Self
    }
    /// Its requests.
    pub fn records(&self) -> Records {
        Records
    }
}
type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
impl WasiHttpHooks for CallEgress {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Done,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Done), Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
