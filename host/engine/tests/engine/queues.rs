//! Queues of jobs: what hangs in one takes no worker of another, and no tenant has more than a quarter of one.

use std::sync::Arc;

use berth_engine::{Caller, NewTenant};
use berth_model::{
    bookings::booking::BookingStatus,
    id::{Id, TenantId},
    jobs::kind::{JobKind, JobQueue},
};
use berth_store::records::NewJob;
use serde_json::json;
use tokio::sync::{Semaphore, watch};

use crate::{
    provider::{Fault, LOST},
    world::{World, monday, new_connection, world},
};

/// Another tenant with so many connections, each of which is to be synchronised now.
async fn with_much_to_read(w: &World, n: usize, connections: usize) -> TenantId {
    let new = NewTenant { slug: format!("tenant-{n}").parse().unwrap(), name: "Much".into() };
    let tenant = w.engine.tenants.create_tenant("operator", "req", new).await.unwrap().id;
    let caller = Caller { tenant, ..w.caller.clone() };
    for _ in 0..connections {
        let connection = w.engine.connections.create_connection(&caller, new_connection()).await.unwrap().id;
        let job = NewJob {
            id: Id::from_uuid(uuid::Uuid::from_u128(rand::random())),
            tenant,
            kind: JobKind::SyncConnection,
            payload: json!({ "connection": connection }),
            due_at: w.engine.now(),
            dedup_key: format!("sync:{connection}"),
            leased_until: None,
        };
        w.engine.store().enqueue_job(job).await.unwrap();
    }
    tenant
}

#[tokio::test]
async fn what_hangs_outbound_keeps_no_booking_waiting() {
    let w = world().await;
    w.provider.state().changes = Some(Vec::new());
    let workers = JobQueue::Outbound.workers();
    let (share, mut tenants) = (workers / 4, Vec::new());
    for n in 0..5 {
        tenants.push(with_much_to_read(&w, n, share + 1).await);
    }
    // Whoever reads hangs until the end of this test.
    let (hanging, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    for _ in 0..2 * workers {
        let (hanging, go_on) = (hanging.clone(), go_on.clone());
        let hang = async move {
            hanging.add_permits(1);
            go_on.acquire().await.unwrap().forget();
        };
        w.provider.next("list_changes", Fault::Meanwhile(Box::new(|| Box::pin(hang))));
    }
    let (stop, stopping) = watch::channel(false);
    let at_work = JobQueue::ALL.map(|queue| {
        let (engine, stopping) = (w.engine.clone(), stopping.clone());
        tokio::spawn(async move { engine.jobs.work(queue, stopping).await })
    });
    hanging.acquire_many(u32::try_from(workers).unwrap()).await.unwrap().forget();

    let mut held = 0;
    for tenant in &tenants {
        let open = w.engine.store().list_jobs(*tenant, false, None, 100).await.unwrap();
        let theirs = open.iter().filter(|job| job.leased_until.is_some()).count();
        assert!(theirs <= share, "{theirs} of {workers}");
        held += theirs;
    }
    assert_eq!(held, workers, "all of them hang");

    // A booking whose provider did not answer is told again as soon as it is due, though nobody is free out there.
    w.provider.next("create", Fault::Before(LOST));
    let pending = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(pending.pending);
    w.clock.pass_seconds(5);
    let (told, is_told) = tokio::sync::oneshot::channel();
    let tell = async move { told.send(()).unwrap() };
    w.provider.next("create", Fault::Before(LOST));
    w.provider.next("create", Fault::Meanwhile(Box::new(|| Box::pin(tell))));
    // Another one that fails wakes whoever works on bookings.
    let second = w.engine.bookings.book(&w.caller, w.request(monday("11:00"))).await.unwrap();
    assert!(second.pending);
    is_told.await.unwrap();
    assert_eq!(hanging.available_permits(), 0, "and nobody has gone on meanwhile");

    go_on.add_permits(10 * workers);
    stop.send(true).unwrap();
    for worker in at_work {
        worker.await.unwrap();
    }
    let first = w.booking(pending.booking.id).await;
    assert_eq!(first.status, BookingStatus::Confirmed);
}
