//! The embedded engine: one file, many readers, one writer task.
//!
//! SQLite has one writer at a time and an unfair busy handler; a queue in front of a single writing connection is both
//! faster and fairer. The writer puts what waits into one transaction, each write in a savepoint of its own: a refused
//! write rolls back alone, and one sync to disk serves all of them. Nobody is answered before the commit. A step, of which each
//! statement stands alone, needs no savepoint, and no transaction if nothing else waits.

use std::{panic::AssertUnwindSafe, str::FromStr, time::Duration};

use berth_model::limits;
use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
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

/// A sum of differences of instants, in minutes.
macro_rules! minutes {
    ($sum:literal) => {
        concat!("COALESCE(", $sum, ", 0) / 60000000")
    };
}

#[expect(clippy::duplicate_mod, reason = "one SQL text, two engines")]
#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// Answers the caller of a write; told whether the transaction was committed.
type Finish = Box<dyn FnOnce(bool) + Send>;
/// Part of a transaction. Returns whether to keep what it did, and how to answer.
type Work = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, (bool, Finish)> + Send>;
/// Work that makes its own transactions.
type Alone = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, ()> + Send>;

struct Write {
    work: Work,
    /// Each of its statements stands alone.
    is_step: bool,
}

/// What the writer task is asked for.
enum Message {
    Write(Write),
    Alone(Alone),
    Close(oneshot::Sender<()>),
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
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_millis(limits::DATABASE_BUSY_MS_MAX))
            .statement_cache_capacity(limits::STATEMENTS_CACHED_MAX)
            .disable_statement_logging();
        let connection = options.connect().await?;
        let (writes, queue) = mpsc::channel(limits::SQLITE_QUEUE_MAX);
        tokio::spawn(write_all(connection, queue));
        let readers = (!in_memory).then(|| {
            SqlitePoolOptions::new()
                .max_connections(limits::SQLITE_READERS_MAX)
                .test_before_acquire(false)
                .acquire_timeout(Duration::from_millis(limits::DATABASE_BUSY_MS_MAX))
                .connect_lazy_with(options.read_only(true).create_if_missing(false))
        });
        Ok(Self { readers, writes })
    }

    /// Run `work` in a transaction; its error rolls back what it did, and nothing else.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.queue(work, false).await
    }

    /// Run statements of which each stands alone. Only a fault of the database refuses them.
    pub(crate) async fn step<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.queue(work, true).await
    }

    async fn queue<T, F>(&self, work: F, is_step: bool) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            Box::pin(async move {
                let result = work(connection).await;
                let keep = result.is_ok();
                let finish: Finish = Box::new(move |committed| {
                    let result = if keep && !committed { Err(StoreError::Busy) } else { result };
                    // The caller may be gone; what was committed stays committed.
                    let _ = reply.send(result);
                });
                (keep, finish)
            })
        });
        self.writes.try_send(Message::Write(Write { work, is_step })).map_err(|_| StoreError::Busy)?;
        answer.await.unwrap_or(Err(StoreError::Busy))
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

    /// Run `work` on the writing connection, outside of any transaction.
    pub(crate) async fn alone<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let alone: Alone = Box::new(move |connection| {
            Box::pin(async move {
                let _ = reply.send(work(connection).await);
            })
        });
        self.writes.send(Message::Alone(alone)).await.map_err(|_| StoreError::Busy)?;
        answer.await.unwrap_or(Err(StoreError::Busy))
    }

    /// Finish what is queued, then close the file.
    pub(crate) async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        let (reply, answer) = oneshot::channel();
        if self.writes.send(Message::Close(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }
}

/// The writer task: ends when it is closed or the last handle is dropped.
async fn write_all(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Message>) {
    let mut closing = None;
    while closing.is_none() {
        let mut batch = Vec::new();
        let mut alone = None;
        let mut next = queue.recv().await;
        if next.is_none() {
            break;
        }
        while let Some(message) = next.take() {
            match message {
                Message::Write(write) => batch.push(write),
                Message::Alone(work) => alone = Some(work),
                Message::Close(reply) => closing = Some(reply),
            }
            if batch.len() < limits::SQLITE_BATCH_MAX && alone.is_none() && closing.is_none() {
                next = queue.try_recv().ok();
            }
        }
        let wrote = async {
            if !batch.is_empty() {
                write_batch(&mut connection, batch).await;
            }
            if let Some(work) = alone {
                work(&mut connection).await;
            }
        };
        // One defect must not be the end of all writing. Whose work it was, and who waited with it, is told that the store is busy.
        if AssertUnwindSafe(wrote).catch_unwind().await.is_err() {
            tracing::error!("a write panicked");
            run(&mut connection, "ROLLBACK").await;
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "sqlite database was not closed cleanly");
    }
    if let Some(reply) = closing {
        let _ = reply.send(());
    }
}

/// One transaction for the whole batch, then the answers.
async fn write_batch(connection: &mut SqliteConnection, mut batch: Vec<Write>) {
    if batch.len() == 1
        && let Some(step) = batch.pop_if(|write| write.is_step)
    {
        let (_, finish) = (step.work)(&mut *connection).await;
        finish(true);
        return;
    }
    let mut finishes = Vec::with_capacity(batch.len());
    if !run(connection, "BEGIN IMMEDIATE").await {
        // Dropping the writes drops their reply channels: each caller is told that the store is busy.
        return;
    }
    // A write that is alone needs no savepoint: it rolls back the transaction.
    let single = batch.len() == 1;
    let mut healthy = true;
    let mut any = false;
    for Write { work, is_step } in batch {
        let alone = single || is_step;
        healthy = healthy && (alone || run(connection, "SAVEPOINT one_write").await);
        if !healthy {
            // The transaction is gone: what would run now would commit at once. The rest is dropped, as above.
            break;
        }
        let (keep, finish) = work(&mut *connection).await;
        finishes.push(finish);
        any |= keep;
        // A fault may have ended the transaction.
        healthy = healthy && (keep || !is_step);
        if !alone {
            healthy = healthy && (keep || run(connection, "ROLLBACK TO one_write").await);
            healthy = healthy && run(connection, "RELEASE one_write").await;
        }
    }
    let committed = healthy && any && run(connection, "COMMIT").await;
    if !committed {
        run(connection, "ROLLBACK").await;
    }
    for finish in finishes {
        finish(committed);
    }
}

/// Did the statement succeed? A failure is logged; the writers are told by the caller.
async fn run(connection: &mut SqliteConnection, statement: &'static str) -> bool {
    sqlx::query(statement)
        .execute(connection)
        .await
        .inspect_err(|error| tracing::error!(%error, statement, "sqlite transaction failed"))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(connection: &mut SqliteConnection, panics: bool) -> BoxFuture<'_, Result<i64, StoreError>> {
        Box::pin(async move {
            sqlx::query("INSERT INTO t VALUES (1)").execute(&mut *connection).await?;
            assert!(!panics, "a defect");
            Ok(sqlx::query_scalar("SELECT COUNT(*) FROM t").fetch_one(connection).await?)
        })
    }

    fn create(connection: &mut SqliteConnection) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("CREATE TABLE t (n INTEGER)").execute(connection).await?;
            Ok(())
        })
    }

    #[tokio::test]
    async fn a_write_that_panics_is_undone_and_ends_no_other() {
        let engine = Engine::open("sqlite::memory:").await.unwrap();
        engine.write(create).await.unwrap();
        assert_eq!(engine.write(|c| insert(c, false)).await.unwrap(), 1);
        assert!(matches!(engine.write(|c| insert(c, true)).await, Err(StoreError::Busy)));
        assert!(matches!(engine.step(|c| insert(c, true)).await, Err(StoreError::Busy)));
        let alone = engine.alone(|c| insert(c, true)).await;
        assert!(matches!(alone, Err(StoreError::Busy)));
        let counted = engine.write(|c| insert(c, false)).await.unwrap();
        assert!((2..=4).contains(&counted), "what was in a transaction is undone: {counted}");
    }
}
