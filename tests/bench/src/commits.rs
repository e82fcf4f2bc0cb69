//! Booking commits with full durability, against a bare loop of the same statements on the same database.

use std::{sync::Arc, time::Instant as Moment};

use sqlx::{Connection, PgConnection};

use crate::{
    bare::{self, Spine},
    scene::{BOOKINGS, CLIENTS, Scene, fresh_postgres},
    table::Table,
};

/// Measure.
pub async fn run(table: &mut Table) {
    table.section(&format!("booking commits per second, {CLIENTS} clients, full durability"));
    // Not in memory: the folder of the build is on a real disk.
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), std::path::PathBuf::from);
    let folder = tempfile::tempdir_in(&folder).or_else(|_| tempfile::tempdir()).expect("a folder");
    let path = folder.path().join("bench.db");
    let url = format!("sqlite:{}", path.display());
    let scene = Scene::new(&url, CLIENTS).await;
    let mut store = Vec::new();
    let mut bare = Vec::new();
    for round in 0..3 {
        store.push(scene.through_the_store(round * 2, false).await);
        let mut conn = bare::sqlite(&url).await;
        let started = Moment::now();
        for n in 0..BOOKINGS {
            let member = scene.members[usize::try_from(n).expect("small") % CLIENTS];
            let slot = scene.slot(n / i64::try_from(CLIENTS).expect("small"), round * 2 + 1);
            let mut tx = conn.begin().await.expect("begun");
            bare::on_sqlite(&mut tx, &scene, member, slot, Spine::KNOWN).await;
            tx.commit().await.expect("committed");
        }
        bare.push(BOOKINGS as f64 / started.elapsed().as_secs_f64());
    }
    report(table, "SQLite (WAL, synchronous=FULL)", store, bare, "above the bare loop");

    let Some(url) = std::env::var("BERTH_TEST_PG_URL").ok() else {
        table.row("PostgreSQL", "SKIPPED", "no server", "");
        return;
    };
    let url = fresh_postgres(&url).await;
    let scene = Scene::new(&url, CLIENTS).await;
    let mut store = Vec::new();
    let mut bare = Vec::new();
    for round in 0..3 {
        store.push(scene.through_the_store(round * 2, false).await);
        let started = Moment::now();
        let clients = (0..CLIENTS).map(|client| {
            let (scene, url) = (Arc::clone(&scene), url.clone());
            tokio::spawn(async move {
                let mut conn = PgConnection::connect(&url).await.expect("connects");
                for n in 0..BOOKINGS / i64::try_from(CLIENTS).expect("small") {
                    let slot = scene.slot(n, round * 2 + 1);
                    let mut tx = conn.begin().await.expect("begun");
                    bare::on_postgres(&mut tx, &scene, scene.members[client], slot, Spine::KNOWN).await;
                    tx.commit().await.expect("committed");
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("finished");
        }
        bare.push(BOOKINGS as f64 / started.elapsed().as_secs_f64());
    }
    report(table, "PostgreSQL (its defaults)", store, bare, ">= 0.85 of the bare loop");
}

fn report(table: &mut Table, what: &str, mut store: Vec<f64>, mut bare: Vec<f64>, target: &str) {
    store.sort_by(f64::total_cmp);
    bare.sort_by(f64::total_cmp);
    let (ours, theirs) = (store[store.len() / 2], bare[bare.len() / 2]);
    table.row(
        what,
        &format!("{ours:.0} ({:.0} to {:.0})", store[0], store[store.len() - 1]),
        &format!("{:.2} of the bare loop ({theirs:.0})", ours / theirs),
        target,
    );
}
