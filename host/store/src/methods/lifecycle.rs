//! Opening, migrating, checking, pruning, closing.

use std::sync::{Arc, atomic::Ordering};

use berth_model::{limits, random::Random, time::Instant};
use moka::sync::Cache;

use crate::{Engine, Store, StoreError, Trouble, VaultKeys, cache::ReadCache, migrations, postgres, sqlite};

impl Store {
    /// Open a database: `sqlite::memory:`, `sqlite:path` (made if missing; WAL, synchronous FULL) or `postgres://…`.
    /// Needs a Tokio runtime, which carries SQLite's writer.
    pub async fn open(url: &str, keys: VaultKeys, random: Arc<dyn Random>) -> Result<Self, StoreError> {
        keys.check()?;
        let engine = if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Engine::Postgres(postgres::Engine::open(url).await?)
        } else {
            Engine::Sqlite(sqlite::Engine::open(url).await?)
        };
        let (cache, reads, written) = (ReadCache::new(), Arc::default(), Arc::default());
        let macs = Cache::new(limits::MAC_KEYS_KEPT_MAX);
        Ok(Self { engine, keys: Arc::new(keys), random, cache, macs, reads, written })
    }

    /// How often the database was asked to read since this store was opened: what an answer costs.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    pub(crate) fn engine_to_read(&self) -> &Engine {
        self.reads.fetch_add(1, Ordering::Relaxed);
        &self.engine
    }

    /// Bring the schema up to date. Returns the names of what was applied.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.alone(|conn| Box::pin(migrations::run_on_sqlite(conn))).await,
            Engine::Postgres(engine) => {
                engine.alone(|conn| Box::pin(migrations::run(conn, &migrations::POSTGRES))).await
            }
        }
    }

    /// Names of the migrations that are not applied yet. A schema newer than this program is an error.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => {
                engine.read(|conn| Box::pin(migrations::pending(conn, &migrations::SQLITE))).await
            }
            Engine::Postgres(engine) => {
                engine.read(|conn| Box::pin(migrations::pending(conn, &migrations::POSTGRES))).await
            }
        }
    }

    /// Does the database answer?
    pub async fn ping(&self) -> Result<(), StoreError> {
        read!(self, |q, conn| q::ping(conn))
    }

    /// Can the database be written? Changes nothing.
    pub async fn try_write(&self) -> Result<(), StoreError> {
        write_tx!(self, [], |q, conn| q::try_write(conn))
    }

    /// What keeps the database from working at the moment, as the last statements found it: it is away, full or read-only. Nothing is
    /// asked. Over when the database itself says so, which is tried every half second.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.trouble(),
            Engine::Postgres(engine) => engine.trouble(),
        }
    }

    /// Prepare every statement, without running any. Those that the database refuses, with its reason: the schema does not fit
    /// this program. For tests and `berth doctor`.
    pub async fn prepare_all(&self) -> Result<Vec<String>, StoreError> {
        read!(self, |q, conn| q::prepare_all(conn))
    }

    /// Every declared statement, as this database is asked it. For tests that look at plans.
    #[must_use]
    pub fn statements(&self) -> Vec<&'static str> {
        match self.engine {
            Engine::Sqlite(_) => sqlite::queries::statements(),
            Engine::Postgres(_) => postgres::queries::statements(),
        }
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Remove what is older than its limit: answers to idempotency keys, provider calls, webhooks that were processed, holds
    /// that are over, events.
    /// Returns how many rows; bounded, so there may be more left for the next time. What was erased is then in no file of SQLite.
    pub async fn prune(&self, now: Instant) -> Result<u64, StoreError> {
        let rows = self.prune_rows(now).await?.saturating_add(self.forget_events(now).await?);
        if let Engine::Sqlite(engine) = &self.engine {
            engine.empty_log().await?;
        }
        Ok(rows)
    }

    async fn prune_rows(&self, now: Instant) -> Result<u64, StoreError> {
        write_tx!(self, [], |q, conn| q::jobs::prune::prune(conn, now))
    }

    /// Finish what is queued, then close.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(engine) => engine.close().await,
        }
    }
}
