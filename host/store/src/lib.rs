//! The store: every question and change that Berth asks of its database, on SQLite and PostgreSQL.
//!
//! A method is a transaction: it opens, does everything, commits; nothing upward ever holds one open, least of all across a
//! call to a provider. One SQL text (`queries/`) is compiled for both engines; the overlap rule is in the schema of both.
#![forbid(unsafe_code)]

mod error;
mod methods;
mod postgres;
pub mod records;
mod sqlite;
mod types;
mod vault;

use std::sync::Arc;

use berth_model::random::Random;
use sqlx::migrate::Migrator;

pub use error::StoreError;
pub use vault::VaultKeys;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    vault: Arc<VaultKeys>,
    random: Arc<dyn Random>,
}

#[derive(Debug, Clone)]
enum Backend {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

impl Store {
    /// Open a database: `sqlite::memory:`, `sqlite:path` (made if missing; WAL, `synchronous=FULL`) or `postgres://…`.
    /// The schema is not touched: see [`Self::migrate`].
    pub async fn open(url: &str, keys: VaultKeys, random: Arc<dyn Random>) -> Result<Self, StoreError> {
        let backend = if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Backend::Postgres(postgres::Engine::open(url).await?)
        } else {
            Backend::Sqlite(sqlite::Engine::open(url).await?)
        };
        Ok(Self { backend, vault: Arc::new(keys), random })
    }

    /// Bring the schema up to date. Names of the migrations that were applied. An unknown (newer) one is an error.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let pending = self.pending_migrations().await?;
        match &self.backend {
            Backend::Sqlite(engine) => engine.migrate(&SQLITE_MIGRATIONS).await?,
            Backend::Postgres(engine) => engine.migrate(&POSTGRES_MIGRATIONS).await?,
        }
        Ok(pending)
    }

    /// Names of the migrations that [`Self::migrate`] would apply.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let (applied, migrations) = match &self.backend {
            Backend::Sqlite(engine) => (
                engine.read(|conn| Box::pin(sqlite::queries::migrations::applied(conn))).await?,
                &SQLITE_MIGRATIONS,
            ),
            Backend::Postgres(engine) => (
                engine.read(|conn| Box::pin(postgres::queries::migrations::applied(conn))).await?,
                &POSTGRES_MIGRATIONS,
            ),
        };
        Ok(migrations
            .iter()
            .filter(|m| !applied.contains(&m.version))
            .map(|m| format!("{:04}_{}", m.version, m.description))
            .collect())
    }

    /// Is the database there?
    pub async fn ping(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(engine) => {
                engine.read(|conn| Box::pin(sqlite::queries::migrations::ping(conn))).await
            }
            Backend::Postgres(engine) => {
                engine.read(|conn| Box::pin(postgres::queries::migrations::ping(conn))).await
            }
        }
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite(_) => "sqlite",
            Backend::Postgres(_) => "postgres",
        }
    }

    /// Prepare every statement, without running any. The names of those that the database refuses, with its reason.
    /// For tests and `berth doctor`.
    pub async fn prepare_all(&self) -> Result<Vec<String>, StoreError> {
        match &self.backend {
            Backend::Sqlite(engine) => {
                engine.read(|conn| Box::pin(sqlite::queries::migrations::prepare_all(conn))).await
            }
            Backend::Postgres(engine) => {
                engine.read(|conn| Box::pin(postgres::queries::migrations::prepare_all(conn))).await
            }
        }
    }

    /// Finish what is under way, then close.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(engine) => engine.close().await,
            Backend::Postgres(engine) => engine.close().await,
        }
    }
}
