//! The connections that read. A pool for one file in one process: the general one asks each connection whether it still works when it
//! comes back, and does so in a task of its own, which costs more than most of what is read here.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_model::limits;
use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::Semaphore;

use crate::StoreError;

/// At most [`limits::SQLITE_READERS_MAX`] connections, opened when they are needed.
#[derive(Debug, Clone)]
pub(super) struct Readers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: SqliteConnectOptions,
    room: Semaphore,
    /// The one that was used last is used next: its pages are in the cache.
    idle: Mutex<Vec<SqliteConnection>>,
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        let room = Semaphore::new(limits::SQLITE_READERS_MAX);
        Self(Arc::new(Inner { options, room, idle: Mutex::default() }))
    }

    /// Run `work`, which only reads. A connection on which it was given up half-way, or that failed, is not used again.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>,
    {
        let wait = Duration::from_millis(limits::DATABASE_BUSY_MS_MAX);
        let Ok(room) = tokio::time::timeout(wait, self.0.room.acquire()).await else {
            return Err(StoreError::Busy);
        };
        let _room = room.map_err(|_| StoreError::from(sqlx::Error::PoolClosed))?;
        let idle = self.0.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.0.options.connect().await?,
        };
        let result = work(&mut connection).await;
        if result.as_ref().err().is_none_or(|error| error.trouble().is_none()) {
            self.0.idle().push(connection);
        }
        result
    }

    /// Wait for those who read, let nobody else begin, and close the file.
    pub(super) async fn close(&self) {
        if let Ok(all) =
            self.0.room.acquire_many(u32::try_from(limits::SQLITE_READERS_MAX).unwrap_or(1)).await
        {
            all.forget();
        }
        self.0.room.close();
        let idle = std::mem::take(&mut *self.0.idle());
        for connection in idle {
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "a reading connection was not closed cleanly");
            }
        }
    }
}

impl Inner {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use sqlx::SqlitePool;

    use super::*;

    async fn readers(folder: &std::path::Path) -> Readers {
        let options = SqliteConnectOptions::new().filename(folder.join("r.db")).create_if_missing(true);
        let writer = SqlitePool::connect_with(options.clone()).await.unwrap();
        sqlx::raw_sql("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)").execute(&writer).await.unwrap();
        writer.close().await;
        Readers::new(options.read_only(true))
    }

    fn seven(conn: &mut SqliteConnection) -> BoxFuture<'_, Result<i64, StoreError>> {
        Box::pin(async move { Ok(sqlx::query_scalar("SELECT n FROM t").fetch_one(conn).await?) })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn connections_are_used_again_and_no_more_than_there_is_room_for() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        for _ in 0..3 {
            assert_eq!(readers.read(seven).await.unwrap(), 7);
        }
        assert_eq!(readers.0.idle().len(), 1, "one was enough");
        let many = join_all((0..100).map(|_| readers.read(seven))).await;
        assert!(many.iter().all(|result| matches!(result, Ok(7))), "{many:?}");
        assert!(readers.0.idle().len() <= limits::SQLITE_READERS_MAX);
    }

    #[tokio::test]
    async fn what_was_given_up_or_failed_leaves_no_connection_behind() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        let never = readers.read(|_| Box::pin(std::future::pending::<Result<(), StoreError>>()));
        assert!(tokio::time::timeout(Duration::from_millis(1), never).await.is_err());
        assert_eq!(readers.0.idle().len(), 0);
        let trouble = readers.read(|_| Box::pin(async { Err::<(), _>(sqlx::Error::WorkerCrashed.into()) }));
        assert!(trouble.await.is_err() && readers.0.idle().is_empty());
        let refused = readers.read(|_| Box::pin(async { Err::<(), _>(StoreError::NotFound("it")) }));
        assert!(refused.await.is_err() && readers.0.idle().len() == 1, "an answer is no failure");
        assert_eq!(readers.read(seven).await.unwrap(), 7, "its place is free again");
    }

    #[tokio::test]
    async fn nobody_reads_after_it_was_closed() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        assert_eq!(readers.read(seven).await.unwrap(), 7);
        readers.close().await;
        assert!(matches!(readers.read(seven).await, Err(StoreError::Trouble(_))));
        readers.close().await;
    }
}
