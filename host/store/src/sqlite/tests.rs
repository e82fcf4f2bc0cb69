use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;

async fn run(engine: &Engine, sql: &'static str) -> Result<(), StoreError> {
    engine
        .alone(move |conn| Box::pin(async move { Ok(sqlx::raw_sql(sql).execute(conn).await.map(drop)?) }))
        .await
}

/// A database of its own with one table, in a folder that goes with it.
async fn opened() -> (Engine, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("berth.db").display());
    let engine = Engine::open(&url).await.unwrap();
    let tables =
        "CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB); CREATE TABLE plugin_generation (generation)";
    run(&engine, tables).await.unwrap();
    (engine, folder)
}

/// Write so many bytes under a number.
async fn put(engine: &Engine, n: i64, bytes: i64) -> Result<(), StoreError> {
    engine
        .write(move |conn| {
            Box::pin(async move {
                let insert = sqlx::query("INSERT INTO t VALUES ($1, randomblob($2))");
                Ok(insert.bind(n).bind(bytes).execute(conn).await.map(drop)?)
            })
        })
        .await
}

async fn there(engine: &Engine) -> Vec<i64> {
    let all = engine.read(|conn| {
        Box::pin(async move { Ok(sqlx::query_scalar("SELECT n FROM t ORDER BY n").fetch_all(conn).await?) })
    });
    all.await.unwrap()
}

fn is_full(result: &Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Trouble(trouble)) if trouble.kind == TroubleKind::Full)
}

#[tokio::test]
async fn a_full_database_refuses_what_does_not_fit_and_nothing_else_for_long() {
    let (engine, _folder) = opened().await;
    run(&engine, "PRAGMA max_page_count = 30").await.unwrap();
    // All wait in one batch; the one in the middle has no room.
    let results = join_all((0..21).map(|n| put(&engine, n, if n == 10 { 1_000_000 } else { 10 }))).await;
    assert!(is_full(&results[10]), "{:?}", results[10]);
    assert!(results[11..].iter().all(Result::is_ok), "who comes after is not hurt: {results:?}");
    assert!(results[..10].iter().all(|result| result.is_ok() || is_full(result)), "{results:?}");
    let written: Vec<i64> =
        (0..).zip(&results).filter(|(_, result)| result.is_ok()).map(|(n, _)| n).collect();
    assert_eq!(there(&engine).await, written, "what was acknowledged is there, and nothing else");
    // While it is full, one stands for itself.
    engine.condition.bad(&Trouble { kind: TroubleKind::Full, cause: "full", detail: String::new() });
    let results = join_all((30..51).map(|n| put(&engine, n, if n == 40 { 1_000_000 } else { 10 }))).await;
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), n != 10, "{n}: {result:?}");
    }
    run(&engine, "PRAGMA max_page_count = 100000").await.unwrap();
    put(&engine, 100, 1_000_000).await.unwrap();
    // Nobody but the probe says that it is over.
    while engine.trouble().is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_may_only_be_read_is_read_and_heals() {
    let (engine, _folder) = opened().await;
    run(&engine, "PRAGMA query_only = ON").await.unwrap();
    let refused = put(&engine, 1, 10).await;
    assert!(
        matches!(&refused, Err(StoreError::Trouble(trouble)) if trouble.kind == TroubleKind::ReadOnly),
        "{refused:?}"
    );
    assert!(there(&engine).await.is_empty());
    // The connection is opened again, as it must be for a file that was read-only when it was opened.
    while engine.trouble().is_some() {
        tokio::task::yield_now().await;
    }
    put(&engine, 1, 10).await.unwrap();
    assert_eq!(there(&engine).await, [1]);
}

/// Writes of any size at once, while the room changes: what was acknowledged is there, and nothing else.
#[tokio::test]
async fn whatever_fits_is_kept_and_whatever_was_refused_is_not() {
    for seed in [1, 2, rand::random::<u64>()] {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let (engine, _folder) = opened().await;
        let mut kept = Vec::new();
        for round in 0..30_i64 {
            let room =
                if random.random() { "PRAGMA max_page_count = 1" } else { "PRAGMA max_page_count = 200" };
            run(&engine, room).await.unwrap();
            let sizes: Vec<i64> =
                (0..8).map(|_| [10, 2_000, 9_000, 200_000][random.random_range(0..4)]).collect();
            let results =
                join_all((0..).zip(&sizes).map(|(n, size)| put(&engine, round * 8 + n, *size))).await;
            for (n, result) in (0..).zip(results) {
                match result {
                    Ok(()) => kept.push(round * 8 + n),
                    refused => assert!(is_full(&refused), "{refused:?}"),
                }
            }
            assert_eq!(there(&engine).await, kept, "in round {round}");
        }
    }
}

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
    assert!(matches!(engine.write_auto(|c| insert(c, true)).await, Err(StoreError::Busy)));
    let alone = engine.alone(|c| insert(c, true)).await;
    assert!(matches!(alone, Err(StoreError::Busy)));
    let counted = engine.write(|c| insert(c, false)).await.unwrap();
    assert!((2..=4).contains(&counted), "what was in a transaction is undone: {counted}");
}
