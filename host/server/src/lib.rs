//! The server: HTTP API, command line, configuration, wiring. The only crate that sees all the others.
#![forbid(unsafe_code)]
// They panic when nobody reads or the disk is full; `cli/output.rs` does not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod api;
mod background;
mod checking;
pub mod cli;
pub mod config;
mod http;
mod log_lines;
pub mod ports;
mod process;
mod readiness;
mod router;
mod telemetry;
pub mod wiring;
pub mod zones;

pub use api::metrics_router;
pub use http::{
    app::{App, AppConfig},
    serve::{
        ConnectionLimits, HttpServer, serve,
        tls::{Look, Tls},
    },
};
pub use readiness::Readiness;
pub use router::router;

/// The description of all routes (OpenAPI 3.1).
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    api::document()
}
