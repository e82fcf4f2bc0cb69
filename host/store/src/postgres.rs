//! The engine for when it grows: any number of replicas on one PostgreSQL.

use std::{
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use berth_model::limits;
use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    StoreError,
    condition::{Condition, Probing},
    trouble::{self, Trouble, TroubleKind},
};

/// The engine for the shared query text.
pub(crate) type Db = sqlx::Postgres;

/// Lock the row that is about to change. Rows that refer to it may still be inserted: its key does not change.
macro_rules! lock_row {
    () => {
        " FOR NO KEY UPDATE"
    };
}
/// Lock rows that are about to be gone for whoever refers to them: nothing that refers to them is inserted meanwhile.
macro_rules! lock_rows_whole {
    () => {
        " FOR UPDATE"
    };
}
/// Keep the rows of this table what they are until what refers to them is written; they may change otherwise.
macro_rules! keep_rows {
    ($of:literal) => {
        concat!(" FOR KEY SHARE OF ", $of)
    };
}
/// Lock rows, passing over those that another worker holds.
macro_rules! lock_rows_skipping {
    () => {
        " FOR NO KEY UPDATE SKIP LOCKED"
    };
}

/// Inserts, of which none needs another's rows, carried out together: one round trip. Parameters are numbered through.
macro_rules! together {
    ($one:expr, $last:expr) => {
        concat!("WITH one AS (", $one, ") ", $last)
    };
    ($one:expr, $two:expr, $last:expr) => {
        concat!("WITH one AS (", $one, "), two AS (", $two, ") ", $last)
    };
}

/// An insert and an insert of what belongs to its row (or the one that was there already), which is `made` there. Returns `made`. A statement
/// does not see what it inserts, so there is nothing to find.
macro_rules! insert_with {
    ($insert:literal, $find:literal, $more:expr) => {
        concat!("WITH made AS (", $insert, " RETURNING id), more AS (", $more, ") SELECT id FROM made")
    };
}

/// The type of bytes.
macro_rules! bytes {
    () => {
        "BYTEA"
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
/// A statement that takes longer raises the question whether the database is there.
const SUSPECT: Duration = Duration::from_millis(limits::DATABASE_SUSPECT_MS);
/// Longest wait for the answer to that question.
const PROBE: Duration = Duration::from_millis(limits::DATABASE_PROBE_MS_MAX);
/// Time between two such questions while it is not there.
const PROBE_AGAIN: Duration = Duration::from_millis(limits::DATABASE_PROBE_EVERY_MS);
/// Longest wait for a lock, or for a connection.
const BUSY: Duration = Duration::from_millis(limits::DATABASE_BUSY_MS_MAX);
/// Longest time that a method may take, since a silent connection would keep it for ever.
const LONGEST: Duration = Duration::from_millis(limits::DATABASE_METHOD_MS_MAX);

/// An open PostgreSQL database.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: PgConnectOptions,
    /// Replaced when its connections are lost: those that are under way keep the old one until they end.
    pool: Mutex<PgPool>,
    condition: Condition,
    /// Did the server turn us away for having too many connections, when it was asked last?
    is_crowded: AtomicBool,
}

fn new_pool(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(limits::POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(BUSY)
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options.clone())
}

impl Inner {
    async fn connect(&self) -> Result<PgConnection, StoreError> {
        let connected = tokio::time::timeout(BUSY, self.options.connect()).await;
        connected.map_err(|_| StoreError::Trouble(Trouble::silent()))?.map_err(StoreError::from)
    }

    fn pool(&self) -> PgPool {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begin with new connections. The old ones are closed when nobody uses them any more.
    fn renew_pool(&self) {
        *self.pool.lock().unwrap_or_else(PoisonError::into_inner) = new_pool(&self.options);
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let writes = self.condition.trouble().is_some_and(|trouble| trouble.kind != TroubleKind::Away);
        let probe = async {
            let mut connection = self.options.connect().await?;
            if writes {
                queries::try_write(&mut connection).await
            } else {
                queries::ping(&mut connection).await
            }
        };
        let found = tokio::time::timeout(PROBE, probe).await;
        found.unwrap_or_else(|_| Err(StoreError::Trouble(Trouble::silent())))
    }

    /// Ask whether the database is there, and if it is not, until it is again. Ends with the last handle.
    async fn look_after(inner: Weak<Self>, _probing: Probing) {
        while let Some(inner) = inner.upgrade() {
            let known = inner.condition.trouble();
            let Err(error) = inner.probe().await else {
                inner.is_crowded.store(false, Ordering::Relaxed);
                if known.is_some_and(|trouble| trouble.kind == TroubleKind::Away) {
                    inner.renew_pool();
                }
                inner.condition.well();
                return;
            };
            let crowded = error.trouble().is_some_and(|trouble| trouble.cause == trouble::CROWDED);
            inner.is_crowded.store(crowded, Ordering::Relaxed);
            if crowded && known.is_none() {
                // The connections that we have still work.
                return;
            }
            let away = || Trouble::away("the database cannot be asked", error.to_string());
            inner.condition.bad(&error.trouble().cloned().unwrap_or_else(away));
            drop(inner);
            tokio::time::sleep(PROBE_AGAIN).await;
        }
    }
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
        let inner = Inner {
            pool: Mutex::new(new_pool(&options)),
            options,
            condition: Condition::good(),
            is_crowded: AtomicBool::new(false),
        };
        // By itself, since a pool says only that it waited.
        inner.connect().await?.close().await?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What is wrong with the database, if something is.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.inner.condition.trouble()
    }

    /// Find out whether the database is there, unless that is done already.
    fn suspect(&self) {
        if let Some(probing) = self.inner.condition.begin_probing() {
            tokio::spawn(Inner::look_after(Arc::downgrade(&self.inner), probing));
        }
    }

    /// Carry out `work` while the database is there: refused at once if it is known to be away, and given up when that turns out. Boxed,
    /// so that whoever waits for it does not carry all of it.
    fn while_there<'a, T: Send + 'a>(
        &'a self,
        mut work: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let condition = &self.inner.condition;
        Box::pin(async move {
            condition.refuse_if_away()?;
            let waited = async {
                loop {
                    tokio::time::sleep(SUSPECT).await;
                    self.suspect();
                }
            };
            let result = tokio::select! {
                biased;
                result = &mut work => result,
                trouble = condition.becomes_away() => Err(StoreError::Trouble(trouble)),
                () = tokio::time::sleep(LONGEST) => Err(StoreError::Trouble(Trouble::silent())),
                () = waited => Err(StoreError::Busy),
            };
            match &result {
                Err(StoreError::Busy) if self.inner.is_crowded.load(Ordering::Relaxed) => {
                    let crowded = Trouble::away(trouble::CROWDED, "no connection could be made in time");
                    Err(StoreError::Trouble(crowded))
                }
                Err(StoreError::Trouble(found)) if found.kind != TroubleKind::Away => {
                    condition.bad(found);
                    self.suspect();
                    result
                }
                _ => result,
            }
        })
    }

    /// A connection was lost: the others are likely to be lost too. Returns whether it was.
    fn lost(&self, error: &StoreError) -> bool {
        let lost = error.trouble().is_some_and(|trouble| trouble.kind == TroubleKind::Away);
        if lost {
            self.inner.renew_pool();
            self.suspect();
        }
        lost
    }

    /// Run `work` in a transaction of its own; its error rolls it back. Tried again when the database refuses it for
    /// reasons of concurrency, or when the connection is lost before it is committed.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.while_there(Box::pin(async move {
            for _ in 0..limits::POSTGRES_RETRIES_MAX {
                let begun = self.inner.pool().begin().await.map_err(StoreError::from);
                let error = match begun {
                    Ok(mut transaction) => match work(&mut transaction).await {
                        // Whether a lost commit was carried out nobody knows: it is not tried again.
                        Ok(done) => match transaction.commit().await.map_err(StoreError::from) {
                            Ok(()) => return Ok(done),
                            Err(error) if self.lost(&error) => return Err(error),
                            Err(error) => error,
                        },
                        Err(error) => {
                            // A connection that cannot even roll back is closed by the pool; the first error is the one to tell.
                            let _ = transaction.rollback().await;
                            error
                        }
                    },
                    Err(error) => error,
                };
                if self.lost(&error) {
                    continue;
                }
                if !error.is_transient() {
                    return Err(error);
                }
            }
            Err(StoreError::Busy)
        }))
        .await
    }

    /// Run statements of which each stands alone, and commits by itself: a third of the round trips of a transaction.
    pub(crate) async fn write_auto<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.while_there(Box::pin(async move {
            for _ in 0..limits::POSTGRES_RETRIES_MAX {
                let mut connection = self.acquire().await?;
                match work(&mut connection).await {
                    Err(error) if error.is_transient() => {}
                    done => {
                        return done.inspect_err(|error| {
                            self.lost(error);
                        });
                    }
                }
            }
            Err(StoreError::Busy)
        }))
        .await
    }

    /// Run `work`, which only reads.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.while_there(Box::pin(async move {
            let mut connection = self.acquire().await?;
            work(&mut connection).await.inspect_err(|error| {
                self.lost(error);
            })
        }))
        .await
    }

    /// A connection of the pool; one that was lost is passed over.
    async fn acquire(&self) -> Result<PoolConnection<Db>, StoreError> {
        match self.inner.pool().acquire().await.map_err(StoreError::from) {
            Err(error) if self.lost(&error) => Ok(self.inner.pool().acquire().await?),
            other => other,
        }
    }

    /// Run `work`, which makes its own transactions and may take its time: a replica waits here while another one migrates.
    pub(crate) async fn alone<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        // Not of the pool, so that its settings are nobody else's.
        let mut connection = self.inner.connect().await?;
        sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0").execute(&mut connection).await?;
        let result = work(&mut connection).await;
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, "postgres connection was not closed cleanly");
        }
        result
    }

    /// Finish what is under way, then close all connections.
    pub(crate) async fn close(&self) {
        self.inner.pool().close().await;
    }
}
