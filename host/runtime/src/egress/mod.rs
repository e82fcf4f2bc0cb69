//! Egress: how a component reaches its provider, and nothing else.
//!
//! Every outbound request of every component goes through one [`Gate`]. In order: scheme, host (asked by the manifest and
//! granted by the operator), headers, quota, credentials, rate limit, addresses, timeouts, sizes; and on the way back
//! everything that was attached is removed again. The parts that decide are pure: [`policy`], [`address`], [`attach`],
//! [`scrub`].
//!
//! Absent: redirects (the component gets the 3xx), proxies, cookies, a lookup between check and connection, a log line
//! with a query, header or body.

pub mod address;
pub mod attach;
mod client;
mod config;
pub mod failure;
mod gate;
mod hooks;
pub mod interceptor;
pub mod policy;
mod quota;
mod rates;
mod record;
pub mod scrub;
mod send;
mod tokens;
mod urgency;

#[cfg(test)]
mod tests;

pub use config::{EgressLimits, GateConfig, GateError, Lookup, Resolve, SystemResolver};
pub use gate::{CallEgress, Gate};
pub use record::{Records, path_template};
pub use urgency::Urgency;
