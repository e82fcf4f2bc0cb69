//! The engine for when it grows: any number of replicas on one PostgreSQL.

use std::{str::FromStr, time::Duration};

use berth_model::limits;
use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::StoreError;

/// The engine for the shared query text.
pub(crate) type Db = sqlx::Postgres;

/// Lock the row that is about to change. Rows that refer to it may still be inserted: its key does not change.
macro_rules! lock_row {
    () => {
        " FOR NO KEY UPDATE"
    };
}
/// Lock rows, passing over those that another worker holds.
macro_rules! lock_rows_skipping {
    () => {
        " FOR NO KEY UPDATE SKIP LOCKED"
    };
}

/// A sum of differences of instants, in minutes.
macro_rules! minutes {
    ($sum:literal) => {
        concat!("CAST(EXTRACT(EPOCH FROM COALESCE(", $sum, ", INTERVAL '0')) / 60 AS BIGINT)")
    };
}

#[expect(clippy::duplicate_mod, reason = "one SQL text, two engines")]
#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// A connection that was idle for longer is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);

/// An open PostgreSQL database.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pool: PgPool,
}

impl Engine {
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        // A statement that runs longer than a request may is a fault; a lock is held for milliseconds.
        let options = PgConnectOptions::from_str(url)?
            .application_name("berth")
            .statement_cache_capacity(limits::STATEMENTS_CACHED_MAX)
            .options([
                ("statement_timeout", limits::API_REQUEST_MS_MAX.to_string()),
                ("lock_timeout", limits::DATABASE_BUSY_MS_MAX.to_string()),
                ("idle_in_transaction_session_timeout", limits::API_REQUEST_MS_MAX.to_string()),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(limits::POSTGRES_CONNECTIONS_MAX)
            .acquire_timeout(Duration::from_millis(limits::DATABASE_BUSY_MS_MAX))
            .test_before_acquire(false)
            .before_acquire(|connection, state| {
                Box::pin(async move {
                    if state.idle_for > TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool })
    }

    /// Run `work` in a transaction of its own; its error rolls it back. Tried again when the database refuses it for
    /// reasons of concurrency.
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
                    // A connection that cannot even roll back is closed by the pool; the first error is the one to tell.
                    let _ = transaction.rollback().await;
                    error
                }
            };
            if !error.is_transient() {
                return Err(error);
            }
        }
        Err(StoreError::Busy)
    }

    /// Run statements of which each stands alone, and commits by itself: a third of the round trips of a transaction.
    pub(crate) async fn step<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        for _ in 0..limits::POSTGRES_RETRIES_MAX {
            let mut connection = self.pool.acquire().await?;
            match work(&mut connection).await {
                Err(error) if error.is_transient() => {}
                done => return done,
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

    /// Run `work`, which makes its own transactions and may take its time: a replica waits here while another one migrates.
    pub(crate) async fn alone<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        // Taken out of the pool, so that its settings are nobody else's.
        let mut connection = self.pool.acquire().await?.detach();
        sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0").execute(&mut connection).await?;
        let result = work(&mut connection).await;
        if let Err(error) = connection.close().await {
            tracing::warn!(%error, "postgres connection was not closed cleanly");
        }
        result
    }

    /// Finish what is under way, then close all connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
