//! The embedded engine: one file, many readers, one writer task.
//!
//! SQLite has one writer at a time and an unfair busy handler; a queue in front of a single writing connection is both faster and
//! fairer. The writer puts what waits into one transaction, each write in a savepoint of its own: a refused write rolls back
//! alone, and one sync to disk serves all of them. Nobody is answered before the commit.

use std::{str::FromStr, time::Duration};

use berth_model::limits;
use futures_util::future::BoxFuture;
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;

/// The engine for the shared query text.
pub(crate) type Db = sqlx::Sqlite;

/// Rows are locked by being the only writer.
macro_rules! lock_row {
    () => {
        ""
    };
}
/// See `lock_row`.
macro_rules! lock_rows_skipping {
    () => {
        ""
    };
}

#[expect(clippy::duplicate_mod, reason = "one SQL text, two engines")]
#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// Connections for readers.
const READERS: u32 = 4;

type Finish = Box<dyn FnOnce(bool) + Send>;
type Write = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, (bool, Finish)> + Send>;

/// What the writer task is asked for.
enum Message {
    Write(Write),
    Migrate(&'static sqlx::migrate::Migrator, oneshot::Sender<Result<(), StoreError>>),
}

/// An open SQLite database.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    /// None for a database in memory, which only its one connection can see.
    readers: Option<SqlitePool>,
    writes: mpsc::Sender<Message>,
}

impl Engine {
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let in_memory = url.contains(":memory:");
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let connection = SqliteConnection::connect_with(&options).await?;
        let (writes, queue) = mpsc::channel(limits::SQLITE_QUEUE_MAX);
        tokio::spawn(write_all(connection, queue));
        let readers = if in_memory {
            None
        } else {
            let options = options.read_only(true).create_if_missing(false);
            Some(SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options))
        };
        Ok(Self { readers, writes })
    }

    /// Run `work` in a transaction of its own; its error rolls it back.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let write: Write = Box::new(move |connection| {
            Box::pin(async move {
                let result = work(connection).await;
                let keep = result.is_ok();
                let finish: Finish = Box::new(move |committed| {
                    // The caller may be gone; what was committed stays committed.
                    let _ = reply.send(if keep && !committed { Err(StoreError::Busy) } else { result });
                });
                (keep, finish)
            })
        });
        match self.writes.try_send(Message::Write(write)) {
            Ok(()) => answer.await.unwrap_or(Err(StoreError::Busy)),
            Err(_) => Err(StoreError::Busy),
        }
    }

    /// Run `work`, which only reads.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let Some(readers) = &self.readers else { return self.write(work).await };
        let mut connection = readers.acquire().await?;
        work(&mut connection).await
    }

    /// Close the readers; the writer ends when the last handle is dropped.
    pub(crate) async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
    }

    /// Bring the schema up to date, on the writing connection (the only one there is for a database in memory).
    pub(crate) async fn migrate(&self, migrator: &'static sqlx::migrate::Migrator) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.writes.send(Message::Migrate(migrator, reply)).await.map_err(|_| StoreError::Busy)?;
        answer.await.unwrap_or(Err(StoreError::Busy))
    }
}

async fn write_all(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Message>) {
    let mut batch = Vec::new();
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Write(write) => batch.push(write),
                Message::Migrate(migrator, reply) => {
                    let done =
                        migrator.run_direct(None, &mut connection, false).await.map_err(StoreError::Migrate);
                    let _ = reply.send(done);
                }
            }
            next = if batch.len() < limits::SQLITE_BATCH_MAX { queue.try_recv().ok() } else { None };
        }
        if batch.is_empty() {
            continue;
        }
        let (finishes, committed) = write_batch(&mut connection, std::mem::take(&mut batch)).await;
        for finish in finishes {
            finish(committed);
        }
    }
    let _ = connection.close().await;
}

/// One transaction for the whole batch. Returns how to answer each writer, and whether it was committed.
async fn write_batch(connection: &mut SqliteConnection, batch: Vec<Write>) -> (Vec<Finish>, bool) {
    let mut finishes = Vec::with_capacity(batch.len());
    if let Err(error) = sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await {
        tracing::error!(%error, "sqlite transaction did not begin");
        // Dropping the writes drops their reply channels: each caller is told that the store is busy.
        return (finishes, false);
    }
    let mut healthy = true;
    for write in batch {
        healthy &= sqlx::query("SAVEPOINT one_write").execute(&mut *connection).await.is_ok();
        let (keep, finish) = write(&mut *connection).await;
        finishes.push(finish);
        if !keep {
            healthy &= sqlx::query("ROLLBACK TO one_write").execute(&mut *connection).await.is_ok();
        }
        healthy &= sqlx::query("RELEASE one_write").execute(&mut *connection).await.is_ok();
    }
    let committed = healthy
        && sqlx::query("COMMIT")
            .execute(&mut *connection)
            .await
            .inspect_err(|error| tracing::error!(%error, "sqlite transaction was not committed"))
            .is_ok();
    if !committed {
        let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
    }
    (finishes, committed)
}
