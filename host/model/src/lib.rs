//! The pure heart of Berth: values and rules.
//!
//! Knows no database, no network, no runtime and no clock: whoever needs the time or randomness passes it in. Its one
//! asynchronous signature is the [`provider::Providers`] port, a boxed future that the runtime fulfils.
#![forbid(unsafe_code)]

pub mod booking;
pub mod breaker;
pub mod budget;
pub mod calendar;
pub mod clocks;
pub mod conformance;
pub mod connection;
pub mod event_type;
pub mod hold;
pub mod holidays;
pub mod hours;
pub mod ics;
pub mod id;
pub mod installation;
pub mod intervals;
pub mod json;
pub mod limits;
pub mod listing;
pub mod manifest;
pub mod member;
pub mod oauth;
pub mod plugin;
pub mod problem;
pub mod provider;
pub mod questions;
pub mod random;
pub mod recurrence;
pub mod rule;
pub mod scheduling;
pub mod secret;
pub mod series;
pub mod supervision;
pub mod sync;
pub mod text;
pub mod time;
pub mod transitions;
pub mod validate;
pub mod webhook;
pub mod zone;
