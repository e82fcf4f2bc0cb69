//! The embedded engine: one file, many readers, one writer task.
//!
//! SQLite has one writer at a time and an unfair busy handler; a queue in front of a single writing connection is both
//! faster and fairer. The writer puts what waits into one transaction, each write in a savepoint of its own: a refused
//! write rolls back alone, and one sync to disk serves all of them. Nobody is answered before the commit. A step, of which each
//! statement stands alone, needs no savepoint, and no transaction if nothing else waits.
//!
//! A full disk may end a transaction from within. Those that were in it are told so, those that still wait begin another one, and while
//! the trouble lasts each write has a transaction of its own, so that a small one that fits is not refused for a large neighbour.

use std::{collections::VecDeque, panic::AssertUnwindSafe, str::FromStr, time::Duration};

use berth_model::limits;
use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    StoreError,
    condition::{Condition, Probing},
    files,
    trouble::{Trouble, TroubleKind},
};
use readers::Readers;

/// The engine for the shared query text.
pub(crate) type Db = sqlx::Sqlite;

/// Rows are locked by being the only writer.
macro_rules! lock_row {
    () => {
        ""
    };
}
/// See `lock_row`.
macro_rules! lock_rows_whole {
    () => {
        ""
    };
}
/// See `lock_row`.
macro_rules! keep_rows {
    ($of:literal) => {
        ""
    };
}
/// See `lock_row`.
macro_rules! lock_rows_skipping {
    () => {
        ""
    };
}

/// Inserts, of which none needs another's rows, carried out together. Parameters are numbered through.
macro_rules! together {
    ($one:expr, $($more:expr),+) => {
        concat!($one, $("; ", $more),+)
    };
}

/// An insert, what finds its row (or the one that was there already), and an insert of what belongs to it, for which that is `made`. Returns `made`.
macro_rules! insert_with {
    ($insert:literal, $find:literal, $more:expr) => {
        concat!($insert, "; WITH made AS (", $find, ") ", $more, "; ", $find)
    };
}

/// The type of bytes.
macro_rules! bytes {
    () => {
        "BLOB"
    };
}

/// A sum of differences of instants, in minutes.
macro_rules! minutes {
    ($sum:literal) => {
        concat!("COALESCE(", $sum, ", 0) / 60000000")
    };
}

mod readers;

#[expect(clippy::duplicate_mod, reason = "one SQL text, two engines")]
#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// Time between two tries of a database that cannot be written.
const PROBE_AGAIN: Duration = Duration::from_millis(limits::DATABASE_PROBE_EVERY_MS);

/// Answers the caller of a write; told why the transaction was not committed.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Whether to keep what was done; if not, the trouble of the database that it failed of, if that is why.
type Verdict = Result<(), Option<Trouble>>;
/// Part of a transaction. Returns whether to keep what it did, and how to answer.
type Work = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, (Verdict, Finish)> + Send>;
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
    readers: Option<Readers>,
    writes: mpsc::Sender<Message>,
    condition: Condition,
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
            // What is erased is written over, not only forgotten.
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        if !in_memory && let Err(error) = files::keep_private(options.get_filename()) {
            // Told by SQLite itself if it matters: somebody else's file may be readable all the same.
            tracing::warn!(%error, file = %options.get_filename().display(), "the database's files could not be made private");
        }
        let connection = options.connect().await?;
        let condition = Condition::good();
        let (writes, queue) = mpsc::channel(limits::SQLITE_QUEUE_MAX);
        let again = (!in_memory).then(|| options.clone());
        tokio::spawn(Writer { connection, again, condition: condition.clone() }.write_all(queue));
        let readers = (!in_memory).then(|| Readers::new(options.read_only(true).create_if_missing(false)));
        Ok(Self { readers, writes, condition })
    }

    /// What is wrong with the database, if something is.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.condition.trouble()
    }

    /// Learn from how a method ended.
    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Trouble(trouble)) = &result {
            self.condition.bad(trouble);
            if let Some(probing) = self.condition.begin_probing() {
                let (writes, condition) = (self.writes.downgrade(), self.condition.clone());
                let readers = self.readers.clone();
                tokio::spawn(probe(writes, readers, condition, probing));
            }
        }
        result
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
    pub(crate) async fn write_auto<T, F>(&self, work: F) -> Result<T, StoreError>
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
        let (write, answer) = write_of(work, is_step);
        self.writes.try_send(Message::Write(write)).map_err(|_| StoreError::Busy)?;
        let unasked = || Err(self.trouble().map_or(StoreError::Busy, StoreError::Trouble));
        self.noted(answer.await.unwrap_or_else(|_| unasked()))
    }

    /// Run `work`, which only reads.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let Some(readers) = &self.readers else { return self.write(work).await };
        self.noted(readers.read(work).await)
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

    /// Carry what the write-ahead log holds over into the database and empty it: until then it keeps what was erased. Left for the
    /// next time while somebody reads from it.
    pub(crate) async fn empty_log(&self) -> Result<(), StoreError> {
        const EMPTY: &str = "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)";
        let again = format!("PRAGMA busy_timeout = {}", limits::DATABASE_BUSY_MS_MAX);
        self.alone(|conn| {
            Box::pin(async move {
                let emptied = sqlx::raw_sql(EMPTY).execute(&mut *conn).await;
                sqlx::raw_sql(AssertSqlSafe(again)).execute(&mut *conn).await?;
                match emptied.map_err(StoreError::from) {
                    Ok(_) | Err(StoreError::Busy) => Ok(()),
                    Err(error) => Err(error),
                }
            })
        })
        .await
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

/// A write for the queue, and where its answer comes.
fn write_of<T, F>(work: F, is_step: bool) -> (Write, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let work: Work = Box::new(move |connection| {
        Box::pin(async move {
            let result = work(connection).await;
            let verdict = result.as_ref().map(|_| ()).map_err(|error| error.trouble().cloned());
            let keep = verdict.is_ok();
            let finish: Finish = Box::new(move |committed| {
                // The caller may be gone; what was committed stays committed.
                let _ = reply.send(if keep { committed.and(result) } else { result });
            });
            (verdict, finish)
        })
    });
    (Write { work, is_step }, answer)
}

/// Try until the database works again, or nobody uses it any more. Where there was no room a small write may find some while others do
/// not: then it works when nobody was refused for a while.
async fn probe(
    writes: mpsc::WeakSender<Message>,
    readers: Option<Readers>,
    condition: Condition,
    _probing: Probing,
) {
    let (mut quiet, mut found) = (0, condition.found());
    loop {
        tokio::time::sleep(PROBE_AGAIN).await;
        let Some(writes) = writes.upgrade() else { return };
        let (write, answer) = write_of(|conn| Box::pin(queries::try_write(conn)), false);
        if writes.try_send(Message::Write(write)).is_err() {
            continue;
        }
        drop(writes);
        let written = answer.await.unwrap_or(Err(StoreError::Busy));
        let read = async {
            let Some(readers) = &readers else { return Ok(()) };
            readers.read(|conn| Box::pin(queries::ping(conn))).await
        };
        match written.and(read.await) {
            Err(StoreError::Trouble(trouble)) => drop(condition.bad(&trouble)),
            Err(StoreError::Busy) => {}
            // Anything else is an answer of a database that works.
            _ => {
                quiet = if condition.found() == found { quiet + 1 } else { 0 };
                found = condition.found();
                let full = condition.trouble().is_some_and(|trouble| trouble.kind == TroubleKind::Full);
                if !full || quiet >= limits::DATABASE_ROOM_PROBES {
                    return condition.well();
                }
            }
        }
    }
}

/// The one who writes.
struct Writer {
    connection: SqliteConnection,
    /// How to open the file again, where there is one.
    again: Option<SqliteConnectOptions>,
    condition: Condition,
}

impl Writer {
    /// Ends when it is closed or the last handle is dropped.
    async fn write_all(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut closing = None;
        while closing.is_none() {
            let mut batch = VecDeque::new();
            let mut alone = None;
            let mut next = queue.recv().await;
            if next.is_none() {
                break;
            }
            let trouble = self.condition.trouble();
            let most = if trouble.is_some() { 1 } else { limits::SQLITE_BATCH_MAX };
            while let Some(message) = next.take() {
                match message {
                    Message::Write(write) => batch.push_back(write),
                    Message::Alone(work) => alone = Some(work),
                    Message::Close(reply) => closing = Some(reply),
                }
                if batch.len() < most && alone.is_none() && closing.is_none() {
                    next = queue.try_recv().ok();
                }
            }
            if trouble.is_some_and(|trouble| trouble.kind != TroubleKind::Full) {
                self.open_again().await;
            }
            let wrote = async {
                if !batch.is_empty() {
                    self.write_batch(batch).await;
                }
                if let Some(work) = alone {
                    work(&mut self.connection).await;
                }
            };
            // One defect must not be the end of all writing. Whose work it was, and who waited with it, is told that the store is busy.
            if AssertUnwindSafe(wrote).catch_unwind().await.is_err() {
                tracing::error!("a write panicked");
                if let Err(error) = sqlx::query("ROLLBACK").execute(&mut self.connection).await {
                    tracing::debug!(%error, "there was nothing left to roll back");
                }
            }
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "sqlite database was not closed cleanly");
        }
        if let Some(reply) = closing {
            let _ = reply.send(());
        }
    }

    /// A connection that was opened when the file could only be read stays so.
    async fn open_again(&mut self) {
        let Some(options) = &self.again else { return };
        if let Ok(connection) = options.connect().await {
            let old = std::mem::replace(&mut self.connection, connection);
            if let Err(error) = old.close().await {
                tracing::debug!(%error, "the connection before was not closed cleanly");
            }
        }
    }

    /// As few transactions as go for the whole batch, then the answers.
    async fn write_batch(&mut self, mut batch: VecDeque<Write>) {
        if batch.len() == 1
            && let Some(step) = batch.pop_front_if(|write| write.is_step)
        {
            let (_, finish) = (step.work)(&mut self.connection).await;
            finish(Ok(()));
            return;
        }
        while !batch.is_empty() {
            if let Err(error) = self.run("BEGIN IMMEDIATE").await {
                if let Some(trouble) = error.trouble() {
                    self.condition.bad(trouble);
                }
                // Dropping the writes drops their reply channels: each caller is told of the trouble, or that the store is busy.
                return;
            }
            self.one_transaction(&mut batch).await;
        }
    }

    /// Carry out what waits until something ends the transaction from within.
    async fn one_transaction(&mut self, batch: &mut VecDeque<Write>) {
        let mut finishes = Vec::with_capacity(batch.len());
        // A write that is alone needs no savepoint: it rolls back the transaction.
        let single = batch.len() == 1;
        let (mut fault, mut saved) = (None, false);
        let (mut any, mut found) = (false, None);
        while fault.is_none()
            && let Some(Write { work, is_step }) = batch.pop_front()
        {
            let alone = single || is_step;
            if !alone {
                // That of the last one is open until the next one begins, or the commit.
                let save =
                    if saved { "RELEASE one_write; SAVEPOINT one_write" } else { "SAVEPOINT one_write" };
                if let Err(error) = self.run(save).await {
                    // Its reply channel is dropped with it.
                    fault = Some(error);
                    break;
                }
                saved = true;
            }
            let (verdict, finish) = work(&mut self.connection).await;
            finishes.push(finish);
            let keep = verdict.is_ok();
            any |= keep;
            found = verdict.err().flatten().or(found);
            if alone {
                // A fault may have ended the transaction: what would run now would commit at once.
                if !keep && is_step {
                    fault = Some(StoreError::Busy);
                }
                continue;
            }
            if !keep {
                fault = self.run("ROLLBACK TO one_write").await.err();
            }
        }
        let mut committed = match fault {
            Some(error) => Err(error),
            None if any => self.run("COMMIT").await,
            None => Err(StoreError::Busy),
        };
        if let Err(error) = &committed {
            // What ended the transaction from within is what all who were in it are told.
            if let Some(trouble) = error.trouble().cloned().or(found) {
                self.condition.bad(&trouble);
                committed = Err(StoreError::Trouble(trouble));
            }
            // Whoever ended the transaction may have rolled it back already.
            if let Err(error) = sqlx::query("ROLLBACK").execute(&mut self.connection).await {
                tracing::debug!(%error, "there was nothing left to roll back");
            }
        }
        for finish in finishes {
            finish(match &committed {
                Ok(()) => Ok(()),
                Err(StoreError::Trouble(trouble)) => Err(StoreError::Trouble(trouble.clone())),
                Err(_) => Err(StoreError::Busy),
            });
        }
    }

    /// A failure is logged, if it is none that the condition tells of; the writers are told by the caller.
    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        let done = sqlx::query(statement).execute(&mut self.connection).await;
        done.map(drop).map_err(StoreError::from).inspect_err(|error| {
            if error.trouble().is_none() {
                tracing::error!(%error, statement, "sqlite transaction failed");
            }
        })
    }
}

#[cfg(test)]
mod tests;
