//! HTTP with JSON, the way providers speak it. Credentials are not here: Berth attaches them after a request has left
//! the component.

mod client;
mod live;
pub(crate) mod message;
mod query;
mod retry;
mod status;
pub(crate) mod transport;
#[cfg(target_arch = "wasm32")]
mod wasi;

pub use self::{
    client::{Client, ErrorHint, RequestBuilder, WaitHint},
    live::Live,
    message::{Method, Request, Response},
    query::encode,
    retry::retry_after_ms,
    status::{error_of, message_of},
    transport::{SendError, Transport},
};
