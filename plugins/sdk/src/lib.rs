//! What a Berth provider is written with.
//!
//! A provider is a struct that implements [`Connection`] and those of [`Catalog`], [`Availability`], [`Bookings`],
//! [`Links`], [`Webhooks`], [`Clients`], [`Blocks`], and [`BookingEdits`] that it can do, and one line that makes a component of it:
//!
//! ```text
//! berth_sdk::export!(Acme: catalog, availability, bookings; manifest = "plugin.toml");
//! ```
//!
//! Everything but that line compiles and runs natively, so that a provider is tested by plain `cargo test`: [`http`] talks
//! through a [`http::Transport`], and [`testing`] has one that answers from a script.

pub mod bindings;
#[doc(hidden)]
pub mod check;
pub mod cursor;
mod export;
pub mod http;
#[cfg(feature = "icalendar")]
pub mod icalendar;
pub mod json;
pub mod limits;
pub mod paging;
mod provider;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod time;
pub mod types;
#[cfg(feature = "zones")]
pub mod zone;

mod imports;

pub use export::Export;
#[cfg(feature = "zones")]
pub use imports::recurrence;
pub use imports::{credentials, log, settings, state};
pub use provider::{
    Availability, Blocks, BookingEdits, Bookings, Catalog, Clients, Connection, Links, Webhooks,
};
use types::ProviderError;
/// WASI 0.2 itself, for what the SDK does not wrap.
#[cfg(target_arch = "wasm32")]
pub use wasip2 as wasi;

/// What every operation answers.
pub type Result<T> = std::result::Result<T, ProviderError>;
