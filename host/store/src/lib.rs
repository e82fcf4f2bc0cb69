//! The store: every question and change that Berth asks of its database, on SQLite and PostgreSQL.
//!
//! A method is a transaction: it opens, does everything, commits; nothing upward ever holds one open. The methods are in
//! `methods`, one file per resource; the SQL text, one for both engines, in `queries`; what a change means in `transition`.
#![forbid(unsafe_code)]

mod cache;
mod condition;
pub mod error;
mod files;
mod macs;
mod methods;
mod migrations;
pub mod personal;
mod postgres;
mod problem;
pub mod records;
mod sqlite;
mod tags;
mod trouble;
mod types;
mod vault;

use std::{fmt, sync::Arc};

use berth_model::random::Random;

pub use error::StoreError;
pub use tags::TAG_BYTES;
pub use trouble::{Trouble, TroubleKind};
pub use vault::VaultKeys;

/// The database behind a store.
#[derive(Debug, Clone)]
enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
}

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    keys: Arc<VaultKeys>,
    random: Arc<dyn Random>,
    cache: cache::ReadCache,
    /// Tenants' keys for customers' addresses, opened.
    macs: moka::sync::Cache<berth_model::id::TenantId, Arc<macs::MacKey>>,
    reads: Arc<std::sync::atomic::AtomicU64>,
    /// Rung after each transaction that wrote something.
    written: Arc<tokio::sync::Notify>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("engine", &self.engine()).finish_non_exhaustive()
    }
}
