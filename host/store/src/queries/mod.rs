//! The one SQL text. Mounted twice, under `sqlite` and under `postgres`; `super::Db` is the engine it is compiled for.
//!
//! A function here is a piece of a transaction: it takes a connection and leaves commit and rollback to the engine.

use std::str::FromStr;

use sqlx::types::Json;

use super::Db;
use crate::StoreError;

/// A connection of this engine.
pub(crate) type Conn = <Db as sqlx::Database>::Connection;

/// Declare statements and list them, so that a test can prepare every one on both engines.
macro_rules! queries {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*
        /// Every statement of this file by name.
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

pub(crate) mod audit;
pub(crate) mod booking_changes;
pub(crate) mod bookings;
pub(crate) mod calls;
pub(crate) mod connections;
pub(crate) mod event_types;
pub(crate) mod idempotency;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod listings;
pub(crate) mod members;
pub(crate) mod migrations;
pub(crate) mod places;
pub(crate) mod plugins;
pub(crate) mod state;
pub(crate) mod tenants;
pub(crate) mod webhooks;

/// Every statement of every file.
pub(crate) const ALL: &[&[(&str, &str)]] = &[
    audit::ALL,
    bookings::ALL,
    booking_changes::ALL,
    calls::ALL,
    connections::ALL,
    event_types::ALL,
    idempotency::ALL,
    jobs::ALL,
    keys::ALL,
    listings::ALL,
    members::ALL,
    places::ALL,
    plugins::ALL,
    state::ALL,
    tenants::ALL,
    webhooks::ALL,
];

/// Read a stored text as what it must be.
fn parsed<T: FromStr>(text: &str, what: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(format!("{what} {text:?}")))
}

/// Read a stored JSON value as what it must be.
fn shaped<T: serde::de::DeserializeOwned>(
    Json(value): Json<serde_json::Value>,
    what: &str,
) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

/// A non-negative number that fits.
fn number(value: i64, what: &str) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| StoreError::Corrupt(format!("{what} {value}")))
}

/// At most this many rows.
fn limit(items: u32) -> i64 {
    i64::from(items)
}

/// One row or none of its kind.
fn found<T>(row: Option<T>, what: &'static str) -> Result<T, StoreError> {
    row.ok_or(StoreError::NotFound(what))
}

/// Did the statement meet its row?
fn met(done: &<Db as sqlx::Database>::QueryResult, otherwise: StoreError) -> Result<(), StoreError> {
    if done.rows_affected() == 0 { Err(otherwise) } else { Ok(()) }
}
