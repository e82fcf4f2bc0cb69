//! Jobs: one per key, one holder, no lost wake-up.

use std::collections::HashSet;

use berth_model::{
    id::TenantId,
    jobs::{
        kind::{JobKind, JobQueue},
        share::Workers,
    },
};
use berth_store::{
    StoreError,
    records::{Claim, Job, JobEnd, NewJob, Recovered},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::world::{World, any, at_once, minute};

pub async fn a_job_is_held_by_one_at_a_time(world: &World) {
    let store = &world.store;
    assert_eq!(store.next_job_due().await.unwrap(), None);
    let tenant = world.id();
    let later = world.job(tenant, "later", minute(10));
    let soon = NewJob { kind: JobKind::ProcessWebhooks, ..world.job(tenant, "soon", minute(1)) };
    let urgent = world.job(tenant, "urgent", minute(2));
    for job in [&later, &soon, &urgent] {
        store.enqueue_job(job.clone()).await.unwrap();
    }
    assert_eq!(store.next_job_due().await.unwrap(), Some(minute(1)));
    assert!(store.claim_jobs(minute(0), minute(1), any(9)).await.unwrap().is_empty(), "nothing is due");
    let held = store.claim_jobs(minute(3), minute(5), any(9)).await.unwrap();
    assert_eq!(
        held.iter().map(|job| job.id).collect::<Vec<_>>(),
        [urgent.id, soon.id],
        "the urgent one first"
    );
    assert_eq!((held[0].attempt, held[0].tenant, &held[0].payload), (1, tenant, &urgent.payload));
    assert_eq!((held[0].kind.as_str(), held[0].dedup_key.as_str()), ("sync_booking", "urgent"));
    assert!(store.claim_jobs(minute(4), minute(9), any(9)).await.unwrap().is_empty(), "they are held");
    assert_eq!(store.next_job_due().await.unwrap(), Some(minute(5)), "the end of a lease");

    // The first holder is late: somebody else has the job by now.
    let again = store.claim_jobs(minute(5), minute(9), any(1)).await.unwrap();
    assert_eq!((again[0].id, again[0].attempt), (urgent.id, 2));
    assert!(!store.end_job(tenant, urgent.id, 1, JobEnd::Done).await.unwrap());
    let retry = JobEnd::Retry { due_at: minute(7), error: "busy".into() };
    assert!(store.end_job(tenant, urgent.id, 2, retry).await.unwrap());
    assert!(!store.end_job(tenant, urgent.id, 2, JobEnd::Done).await.unwrap(), "it is not held any more");
    let third = store.claim_jobs(minute(7), minute(9), any(1)).await.unwrap();
    assert_eq!((third[0].attempt, third[0].last_error.as_deref()), (3, Some("busy")));
    assert!(store.end_job(tenant, urgent.id, 3, JobEnd::Done).await.unwrap());
    assert_eq!(store.open_job_count().await.unwrap(), 2);
}

pub async fn one_open_job_per_key(world: &World) {
    let store = &world.store;
    let tenant = world.id();
    let first = world.job(tenant, "key", minute(10));
    store.enqueue_job(first.clone()).await.unwrap();
    store.enqueue_job(world.job(tenant, "key", minute(20))).await.unwrap();
    assert_eq!(store.next_job_due().await.unwrap(), Some(minute(10)), "not later");
    store.enqueue_job(world.job(tenant, "key", minute(5))).await.unwrap();
    assert_eq!(store.next_job_due().await.unwrap(), Some(minute(5)), "earlier");
    assert_eq!(store.open_job_count().await.unwrap(), 1);
    store.enqueue_job(world.job(world.id(), "key", minute(5))).await.unwrap();
    assert_eq!(store.open_job_count().await.unwrap(), 2, "another tenant's key is another key");
    let held = store.claim_jobs(minute(5), minute(6), any(9)).await.unwrap();
    assert!(held.iter().any(|job| job.id == first.id));
}

pub async fn a_wake_up_while_it_is_held_is_not_lost(world: &World) {
    let store = &world.store;
    let tenant = world.id();
    for end in [
        JobEnd::Done,
        JobEnd::Dead { error: "gave up".into() },
        JobEnd::Retry { due_at: minute(50), error: "busy".into() },
    ] {
        let retried = matches!(end, JobEnd::Retry { .. });
        let job = world.job(tenant, "key", minute(0));
        store.enqueue_job(job.clone()).await.unwrap();
        assert_eq!(store.claim_jobs(minute(0), minute(9), any(9)).await.unwrap()[0].id, job.id);
        store.enqueue_job(world.job(tenant, "key", minute(30))).await.unwrap();
        store.enqueue_job(world.job(tenant, "key", minute(20))).await.unwrap();
        assert!(store.claim_jobs(minute(1), minute(9), any(9)).await.unwrap().is_empty(), "still held");
        assert!(store.end_job(tenant, job.id, 1, end).await.unwrap());
        assert_eq!(store.next_job_due().await.unwrap(), Some(minute(20)));
        let next = store.claim_jobs(minute(20), minute(29), any(9)).await.unwrap();
        assert_eq!((next.len(), next[0].attempt), (1, 2), "never a first attempt again");
        assert_eq!(next[0].id == job.id, retried, "a new run has a new id");
        if !retried {
            assert!(
                !store.end_job(tenant, job.id, 1, JobEnd::Done).await.unwrap(),
                "the old holder cannot end it"
            );
        }
        assert!(store.end_job(tenant, next[0].id, 2, JobEnd::Done).await.unwrap());
        assert_eq!(store.open_job_count().await.unwrap(), 0);
    }

    // A holder that died: whoever takes the job over sees all that happened before.
    let job = world.job(tenant, "key", minute(0));
    store.enqueue_job(job.clone()).await.unwrap();
    store.claim_jobs(minute(0), minute(9), any(9)).await.unwrap();
    store.enqueue_job(world.job(tenant, "key", minute(1))).await.unwrap();
    let next = store.claim_jobs(minute(9), minute(19), any(9)).await.unwrap();
    assert!(store.end_job(tenant, next[0].id, next[0].attempt, JobEnd::Done).await.unwrap());
    assert_eq!(store.open_job_count().await.unwrap(), 0);
}

pub async fn a_bringer_of_a_lease_takes_an_idle_job_over(world: &World) {
    let store = &world.store;
    let tenant = world.id();
    let idle = world.job(tenant, "key", minute(10));
    store.enqueue_job(idle.clone()).await.unwrap();
    let lease = Some(minute(60));
    let mine = NewJob { leased_until: lease, ..world.job(tenant, "key", minute(0)) };
    store.enqueue_job(mine.clone()).await.unwrap();
    assert_eq!(store.open_job_count().await.unwrap(), 1);
    assert!(store.claim_jobs(minute(20), minute(30), any(9)).await.unwrap().is_empty(), "it is held");
    let theirs = NewJob { leased_until: lease, ..world.job(tenant, "key", minute(15)) };
    store.enqueue_job(theirs.clone()).await.unwrap();
    assert!(!store.end_job(tenant, idle.id, 0, JobEnd::Done).await.unwrap());
    assert!(
        !store.end_job(tenant, theirs.id, 1, JobEnd::Done).await.unwrap(),
        "a held one is not taken over"
    );
    assert!(store.end_job(tenant, mine.id, 1, JobEnd::Done).await.unwrap());
    assert_eq!(store.next_job_due().await.unwrap(), Some(minute(15)), "but runs again");
}

pub async fn dead_jobs_live_again(world: &World) {
    let store = &world.store;
    let tenant = world.id();
    let job = world.job(tenant, "key", minute(0));
    store.enqueue_job(job.clone()).await.unwrap();
    store.claim_jobs(minute(0), minute(1), any(9)).await.unwrap();
    assert!(store.end_job(tenant, job.id, 1, JobEnd::Dead { error: "gave up".into() }).await.unwrap());
    assert_eq!((store.open_job_count().await.unwrap(), store.next_job_due().await.unwrap()), (0, None));
    let dead = store.dead_jobs(tenant, 9).await.unwrap();
    assert_eq!((dead.len(), dead[0].id, dead[0].last_error.as_deref()), (1, job.id, Some("gave up")));
    assert!(store.dead_jobs(world.id(), 9).await.unwrap().is_empty());
    let foreign = store.requeue_job(world.id(), job.id, minute(5), world.audit()).await;
    assert!(matches!(foreign, Err(StoreError::NotFound("job"))));

    let open = world.job(tenant, "key", minute(3));
    store.enqueue_job(open.clone()).await.unwrap();
    let twice = store.requeue_job(tenant, job.id, minute(5), world.audit()).await;
    assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
    store.claim_jobs(minute(3), minute(4), any(9)).await.unwrap();
    assert!(store.end_job(tenant, open.id, 1, JobEnd::Done).await.unwrap());
    store.requeue_job(tenant, job.id, minute(5), world.audit()).await.unwrap();
    assert!(store.dead_jobs(tenant, 9).await.unwrap().is_empty());
    let held = store.claim_jobs(minute(5), minute(6), any(9)).await.unwrap();
    assert_eq!((held.len(), held[0].attempt, held[0].dedup_key.as_str()), (1, 2, "key"));
}

pub async fn many_workers_share_the_jobs(world: &World) {
    let tenant = world.id();
    for n in 0..40 {
        world.store.enqueue_job(world.job(tenant, &format!("key-{n}"), minute(0))).await.unwrap();
    }
    let claimed = at_once((0..8).map(|_| {
        let store = world.store.clone();
        async move { store.claim_jobs(minute(0), minute(5), any(10)).await.unwrap() }
    }))
    .await;
    let ids: Vec<_> = claimed.into_iter().flatten().map(|job| job.id).collect();
    assert_eq!(ids.len(), ids.iter().collect::<HashSet<_>>().len(), "no job is held twice");
    let rest = world.store.claim_jobs(minute(0), minute(5), any(99)).await.unwrap();
    assert_eq!(ids.len() + rest.len(), 40, "none is lost");
}

/// As a worker asks: what is left of the share of each tenant.
fn claim_of(queue: JobQueue, workers: &Workers) -> Claim {
    Claim { queue, most: workers.free(), of_one_tenant: workers.room(), not_of: workers.full() }
}

/// All that the workers of a queue take, asking again and again.
async fn take_all(world: &World, queue: JobQueue, workers: &mut Workers) -> Vec<Job> {
    let mut taken = Vec::new();
    while workers.free() > 0 {
        let claim = claim_of(queue, workers);
        let jobs = world.store.claim_jobs(minute(1), minute(9), claim).await.unwrap();
        if jobs.is_empty() {
            break;
        }
        assert!(jobs.len() <= claim.most, "no more than there are workers");
        jobs.iter().for_each(|job| workers.take(job.tenant));
        taken.extend(jobs);
    }
    taken
}

pub async fn a_queue_is_taken_from_alone(world: &World) {
    let (store, tenant) = (&world.store, world.id());
    for (n, kind) in JobKind::ALL.into_iter().enumerate() {
        let job = NewJob { kind, ..world.job(tenant, &format!("key-{n}"), minute(0)) };
        store.enqueue_job(job).await.unwrap();
    }
    let open = store.open_jobs().await.unwrap();
    assert_eq!(open, [(JobQueue::Bookings, 4), (JobQueue::Outbound, 4), (JobQueue::Upkeep, 0)]);
    for queue in [JobQueue::Outbound, JobQueue::Bookings, JobQueue::Upkeep] {
        let held = store.claim_jobs(minute(1), minute(9), Claim::any(queue, 9)).await.unwrap();
        let kinds: Vec<_> = held.iter().map(|job| JobKind::named(&job.kind).unwrap()).collect();
        let expected: Vec<_> = JobKind::ALL.into_iter().filter(|kind| kind.queue() == queue).collect();
        assert_eq!(kinds, expected, "all of {} in its order, and no others", queue.as_str());
    }
    assert_eq!(store.open_job_count().await.unwrap(), 8, "held ones are open");
}

/// One tenant has hundreds of jobs before everybody else's.
pub async fn a_tenant_has_a_quarter_of_a_queue(world: &World) {
    let (store, many) = (&world.store, world.id::<berth_model::id::Tenant>());
    for (queue, kind) in
        [(JobQueue::Bookings, JobKind::SyncBooking), (JobQueue::Outbound, JobKind::WriteCalendars)]
    {
        let (workers, share) = (queue.workers(), queue.workers() / 4);
        for n in 0..workers * 3 {
            let job = NewJob { kind, ..world.job(many, &format!("{}-{n}", queue.as_str()), minute(0)) };
            store.enqueue_job(job).await.unwrap();
        }
        // Alone, they have their share and go on.
        let mut here = Workers::of(queue);
        let mine = take_all(world, queue, &mut here).await;
        assert_eq!(mine.len(), share);
        assert_eq!(mine[0].dedup_key, format!("{}-0", queue.as_str()), "in their order");
        // Whoever comes later passes them.
        let others: Vec<TenantId> = (0..workers).map(|_| world.id()).collect();
        for other in &others {
            let job = NewJob { kind, ..world.job(*other, queue.as_str(), minute(1)) };
            store.enqueue_job(job).await.unwrap();
        }
        let theirs = take_all(world, queue, &mut here).await;
        assert_eq!((theirs.len(), here.free()), (workers - share, 0));
        assert!(theirs.iter().all(|job| job.tenant != many));
        // Another process gives them a quarter of its own, and the rest to the others.
        let mut there = Workers::of(queue);
        let held = take_all(world, queue, &mut there).await;
        let of_many = held.iter().filter(|job| job.tenant == many).count();
        assert_eq!((of_many, held.len()), (share, 2 * share), "as many are left of others");
        // What ends makes room for the next of the same tenant.
        assert!(store.end_job(many, mine[0].id, 1, JobEnd::Done).await.unwrap());
        here.give_back(many);
        let next = take_all(world, queue, &mut here).await;
        assert_eq!((next.len(), next[0].tenant), (1, many));
        for job in mine.iter().skip(1).chain(&theirs).chain(&held).chain(&next) {
            assert!(store.end_job(job.tenant, job.id, 1, JobEnd::Done).await.unwrap());
        }
    }
}

/// A claim reads the order of its queue, and no more than the few that it takes.
pub async fn a_claim_follows_the_order_of_its_queue(world: &World) {
    let statement = world.store.claim_statement();
    let plan = if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        // So few rows are read whole otherwise.
        conn.execute("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off")
            .await
            .unwrap();
        let nil = "'00000000-0000-0000-0000-000000000000'";
        let prepare = format!(
            "PREPARE claim (timestamptz, timestamptz, bigint, text, bigint, uuid, uuid, uuid) AS {statement};"
        );
        conn.execute(AssertSqlSafe(prepare)).await.unwrap();
        let explain = format!("EXPLAIN EXECUTE claim (now(), now(), 8, 'bookings', 2, {nil}, {nil}, {nil})");
        let rows = conn.fetch_all(AssertSqlSafe(explain)).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        let rows = conn.fetch_all(AssertSqlSafe(explain)).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(3)).collect::<Vec<_>>().join("\n")
    };
    let (turn, key, whole) = if world.store.engine() == "postgres" {
        ("Index Scan using jobs_turn on jobs", "Index Scan using jobs_pkey on jobs", "Seq Scan on jobs")
    } else {
        (
            "SEARCH jobs USING INDEX jobs_turn (queue=?)",
            "INDEX sqlite_autoindex_jobs_1 (tenant_id=? AND id=?)",
            "SCAN jobs",
        )
    };
    assert!(plan.contains(turn) && plan.contains(key) && !plan.contains(whole), "{plan}");
}

pub async fn jobs_end_at_once_among_writes_that_are_refused(world: &World) {
    let tenant = world.id();
    for n in 0..40 {
        world.store.enqueue_job(world.job(tenant, &format!("key-{n}"), minute(0))).await.unwrap();
    }
    let held = world.store.claim_jobs(minute(0), minute(5), any(40)).await.unwrap();
    // One in four is wanted again meanwhile.
    for n in (0..40).step_by(4) {
        world.store.enqueue_job(world.job(tenant, &format!("key-{n}"), minute(1))).await.unwrap();
    }
    let results = at_once(held.into_iter().enumerate().map(|(n, job)| {
        let (store, audit) = (world.store.clone(), world.audit());
        async move {
            if n % 2 == 1 {
                let refused = store.requeue_job(job.tenant, job.id, minute(9), audit).await;
                assert!(matches!(refused, Err(StoreError::NotFound("job"))), "{refused:?}");
            }
            let ended = store.end_job(job.tenant, job.id, job.attempt, JobEnd::Done).await.unwrap();
            (ended, store.end_job(job.tenant, job.id, job.attempt, JobEnd::Done).await.unwrap())
        }
    }))
    .await;
    assert!(results.iter().all(|ends| *ends == (true, false)), "{results:?}");
    let again = world.store.claim_jobs(minute(1), minute(5), any(99)).await.unwrap();
    assert_eq!((again.len(), world.store.open_job_count().await.unwrap()), (10, 10));
}

/// Jobs that a connection stopped are due when it recovers: the most urgent first, no more at once than is asked for, and no others.
pub async fn what_a_connection_stopped_is_woken(world: &World) {
    let store = &world.store;
    let tenant = world.id();
    let (ours, theirs) = (world.id(), world.id());
    let stop = async |key: &str, by, kind| {
        let job = NewJob { kind, ..world.job(tenant, key, minute(0)) };
        store.enqueue_job(job.clone()).await.unwrap();
        let held = store.claim_jobs(minute(0), minute(1), any(1)).await.unwrap();
        let end = JobEnd::Stopped { by, due_at: minute(60), error: "refused".into() };
        assert!(store.end_job(held[0].tenant, held[0].id, held[0].attempt, end).await.unwrap());
        job.id
    };
    let late = stop("late", ours, JobKind::ProcessWebhooks).await;
    let urgent = stop("urgent", ours, JobKind::SyncBooking).await;
    let other = stop("other", theirs, JobKind::SyncBooking).await;
    let plain = world.job(tenant, "plain", minute(60));
    store.enqueue_job(plain).await.unwrap();
    assert!(store.claim_jobs(minute(1), minute(2), any(9)).await.unwrap().is_empty());

    let wake =
        async |due, most| store.wake_stopped(Recovered::Connection(tenant, ours), due, most).await.unwrap();
    assert_eq!((wake(minute(1), 1).await, wake(minute(3), 1).await, wake(minute(4), 1).await), (1, 1, 0));
    let due = |jobs: Vec<berth_store::records::Job>| jobs.iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(due(store.claim_jobs(minute(1), minute(9), any(9)).await.unwrap()), [urgent]);
    assert_eq!(due(store.claim_jobs(minute(3), minute(9), any(9)).await.unwrap()), [late]);

    // One that is tried right now, and was stopped before, is tried once more; one that was woken, or never stopped, is not.
    store.wake_stopped(Recovered::Connection(tenant, theirs), minute(4), 9).await.unwrap();
    let held = store.claim_jobs(minute(4), minute(9), any(9)).await.unwrap();
    assert_eq!((held[0].id, held[0].attempt), (other, 2));
    let end = JobEnd::Stopped { by: theirs, due_at: minute(60), error: "refused".into() };
    assert!(store.end_job(tenant, other, 2, end.clone()).await.unwrap());
    // With those whose leases ran out meanwhile, and one that nothing stopped.
    assert!(due(store.claim_jobs(minute(60), minute(70), any(9)).await.unwrap()).contains(&other));
    store.try_stopped_again(Recovered::Connection(tenant, theirs), minute(61)).await.unwrap();
    assert_eq!(
        store.wake_stopped(Recovered::Connection(tenant, theirs), minute(61), 9).await.unwrap(),
        0,
        "it is held"
    );
    assert!(
        store
            .end_job(
                tenant,
                other,
                3,
                JobEnd::Stopped { due_at: minute(90), by: theirs, error: "again".into() }
            )
            .await
            .unwrap()
    );
    assert!(due(store.claim_jobs(minute(61), minute(70), any(9)).await.unwrap()).contains(&other));
}
