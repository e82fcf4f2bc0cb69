//! The pure heart of Berth: values and rules.
//!
//! Knows no database, no network, no runtime and no clock: whoever needs the time or randomness passes it in. Its one
//! asynchronous signature is the [`outbound::provider::Providers`] port, a boxed future that the runtime fulfils.
//!
//! It does not say what the HTTP interface publishes of its types (the API does, in `server/src/api/*/schemas.rs`), holds no SQL, and
//! reads no settings against a JSON Schema (`berth-settings` does).
#![forbid(unsafe_code)]

pub mod bookings;
pub mod boxed;
pub mod buckets;
pub mod budget;
pub mod calendars;
pub mod catalog;
pub mod connections;
pub mod customers;
pub mod events;
pub mod hex;
pub mod id;
pub mod inbound;
pub mod intervals;
pub mod jobs;
pub mod json;
pub mod limits;
pub mod masked;
pub mod mirror;
pub mod outbound;
pub mod plugins;
pub mod privacy;
pub mod problem;
pub mod random;
pub mod scheduling;
pub mod supervision;
pub mod tenants;
pub mod text;
pub mod time;
pub mod transitions;
pub mod validate;
pub mod zone;
