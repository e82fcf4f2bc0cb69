//! `kill -9` while a tenant is removed: the next process goes on, until nothing is left.

use std::time::{Duration, Instant};

use berth_simulators::calcom::{Config, Simulator};
use berth_tests::process::{Database, Process};
use serde_json::json;

use super::{SETTLE, sql};

/// More than one turn removes.
const ROWS: i64 = 120_000;

async fn killed_while_removing(database: Option<&str>) {
    let simulator = Simulator::start(Config { rate_limit: false, ..Config::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = simulator.url();
    let mut berth = Process::new(folder.path(), &url, database);
    berth.key = berth.set_up(&url);
    berth.serve().await;
    berth.offer(&url).await;
    let ask = async |statement: &str| sql(folder.path(), database, statement).await;
    let many = match database {
        Some(_) => format!(
            "INSERT INTO provider_calls (id, tenant_id, connection_id, started_at, data)
                SELECT gen_random_uuid(), t.id, t.id, now(), '{{}}' FROM tenants t, generate_series(1, {ROWS})"
        ),
        None => format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
                INSERT INTO provider_calls (id, tenant_id, connection_id, started_at, data)
                SELECT randomblob(16), t.id, t.id, t.created_at, '{{}}' FROM tenants t, n"
        ),
    };
    ask(&many).await;
    let preview = berth.run(&["tenant", "delete", "--tenant", "studio"]);
    assert_eq!((&preview[0]["connections"], &preview[0]["listings"]), (&json!(1), &json!(1)), "{preview}");
    assert_eq!(
        ask("SELECT COUNT(*) FROM tenants WHERE state = 'active'").await,
        Some(1),
        "nothing is deleted yet"
    );
    let deleting = berth.run(&["tenant", "delete", "--tenant", "studio", "--yes"]);
    assert_eq!(deleting[0]["state"], "deleting", "{deleting}");

    let left = async || ask("SELECT COUNT(*) FROM provider_calls").await.unwrap();
    let until = Instant::now() + SETTLE;
    while left().await >= ROWS {
        assert!(Instant::now() < until, "nothing is removed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    berth.kill();
    let half = left().await;
    assert!(half > 0, "it was over before the process was killed");
    assert_eq!(ask("SELECT COUNT(*) FROM tenants").await, Some(1));
    berth.serve().await;
    let until = Instant::now() + SETTLE;
    while ask("SELECT COUNT(*) FROM tenants").await != Some(0) {
        assert!(Instant::now() < until, "it does not go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(left().await, 0);
    let kept = ask("SELECT COUNT(*) FROM audit_log WHERE tenant_id IN (
        SELECT subject_id FROM audit_log WHERE action = 'tenant.created')")
    .await;
    assert_eq!(kept, Some(3), "made, to be deleted, deleted");
    berth.kill();
    println!("kill -9: {half} of {ROWS} rows were left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_removed_over_a_kill_on_sqlite() {
    killed_while_removing(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_removed_over_a_kill_on_postgres() {
    let Some(database) = Database::new("crash_removal").await else { return };
    killed_while_removing(Some(&database.url)).await;
    database.drop_it().await;
}
