//! The engine for when it grows: any number of replicas on one PostgreSQL.

use std::{str::FromStr, time::Duration};

use berth_model::limits;
use futures_util::future::BoxFuture;
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::StoreError;

/// The engine for the shared query text.
pub(crate) type Db = sqlx::Postgres;

/// Lock the row that is about to change.
macro_rules! lock_row {
    () => {
        " FOR UPDATE"
    };
}
/// Lock rows, passing over those that another worker holds.
macro_rules! lock_rows_skipping {
    () => {
        " FOR UPDATE SKIP LOCKED"
    };
}

#[expect(clippy::duplicate_mod, reason = "one SQL text, two engines")]
#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// Connections per process: more than the server has cores only adds waiting.
const CONNECTIONS: u32 = 16;

/// An open PostgreSQL database.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pool: PgPool,
}

impl Engine {
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        // A statement that runs longer than a request may is a fault; a lock is held for milliseconds.
        let options = PgConnectOptions::from_str(url)?.application_name("berth").options([
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "60s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await?;
        Ok(Self { pool })
    }

    /// Run `work` in a transaction of its own; its error rolls it back. Tried again when the database refuses it for reasons of
    /// concurrency.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        for _ in 0..limits::POSTGRES_RETRIES_MAX {
            let mut transaction = self.pool.begin().await?;
            let error = match work(&mut transaction).await {
                Ok(done) => match transaction.commit().await {
                    Ok(()) => return Ok(done),
                    Err(error) => error.into(),
                },
                Err(error) => {
                    transaction.rollback().await?;
                    error
                }
            };
            if !error.is_transient() {
                return Err(error);
            }
        }
        Err(StoreError::Busy)
    }

    /// Run `work`, which only reads.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let mut connection = self.pool.acquire().await?;
        work(&mut connection).await
    }

    /// Close all connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// Bring the schema up to date.
    pub(crate) async fn migrate(&self, migrator: &'static sqlx::migrate::Migrator) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        migrator.run_direct(None, &mut *connection, false).await.map_err(StoreError::Migrate)?;
        connection.ping().await?;
        Ok(())
    }
}
