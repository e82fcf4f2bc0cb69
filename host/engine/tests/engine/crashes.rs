//! Jobs during which the process dies, and jobs that panic.

use berth_model::{
    bookings::booking::BookingStatus, inbound::message::WebhookStatus, jobs::kind::JobQueue, limits,
    mirror::sync::SyncPhase, outbound::provider::WebhookEvent,
};

use berth_store::records::Claim;

use crate::{
    provider::{Fault, LOST},
    world::{World, half_hour, monday, world},
};

const LEASE_SECONDS: i64 = 60;

#[test]
fn leases_are_as_long_as_these_tests_take_them_to_be() {
    assert_eq!(i64::try_from(limits::JOB_LEASE_MS), Ok(LEASE_SECONDS * 1_000));
}

/// The process dies in the middle of whatever is due; then the leases run out. How many jobs it held.
async fn dies(w: &World) -> usize {
    let now = w.engine.now();
    let until = now.plus_seconds(LEASE_SECONDS);
    let mut held = Vec::new();
    for queue in JobQueue::ALL {
        held.extend(w.engine.store().claim_jobs(now, until, Claim::any(queue, 10)).await.unwrap());
    }
    w.clock.pass_seconds(LEASE_SECONDS + 1);
    held.len()
}

#[tokio::test]
async fn a_job_that_takes_the_process_down_is_put_aside_for_a_person() {
    let w = world().await;
    w.provider.next("create", Fault::Before(LOST));
    let id = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap().booking.id;
    w.clock.pass_seconds(5);
    for n in 0..limits::JOB_CRASHES_MAX {
        assert_eq!(dies(&w).await, 1, "{n}");
    }
    let calls = w.provider.state().calls.len();
    assert_eq!(w.later(0).await, 1);
    assert_eq!(w.provider.state().calls.len(), calls, "it is not taken up a fourth time");
    assert_eq!(w.later(86_400).await, 0);
    let dead = w.engine.mirror.dead_jobs(&w.caller).await.unwrap().remove(0);
    let said = dead.last_error.unwrap();
    assert!(said.contains("3 times"), "{said}");
    assert_eq!(w.timeline(id).await.last().map(String::as_str), Some("booking.sync_given_up"));
    assert_eq!(w.booking(id).await.status, BookingStatus::Pending, "nothing is lost");

    w.engine.mirror.requeue_job(&w.caller, dead.id).await.unwrap();
    assert_eq!(w.later(0).await, 1);
    w.agrees(id).await;
}

#[tokio::test]
async fn a_try_that_ended_counts_from_the_beginning() {
    let w = world().await;
    w.provider.next("create", Fault::Before(LOST));
    let id = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap().booking.id;
    w.clock.pass_seconds(5);
    for _ in 0..3 {
        for _ in 1..limits::JOB_CRASHES_MAX {
            assert_eq!(dies(&w).await, 1);
        }
        w.provider.next("find_by_reference", Fault::Before(LOST));
        assert_eq!(w.later(0).await, 1);
        w.clock.pass_seconds(900);
    }
    assert_eq!(w.later(0).await, 1);
    w.agrees(id).await;
}

#[tokio::test]
async fn news_does_not_bring_back_what_took_the_process_down() {
    let w = world().await;
    w.provider.state().changes = Some(Vec::new());
    w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
    for _ in 0..limits::JOB_CRASHES_MAX {
        assert_eq!(dies(&w).await, 1);
    }
    assert_eq!(w.later(0).await, 1);
    let status = w.engine.mirror.sync_status(&w.caller, w.connection.id).await.unwrap();
    assert!(status.state.error.unwrap().contains("3 times"), "it is said where one looks");
    for n in 0..5 {
        crate::webhooks::send(&w, &format!("changed {n}"), WebhookEvent::ChangedGoAndSync(None)).await;
        while w.later(900).await > 0 {}
        w.engine.mirror.begin_syncs().await.unwrap();
    }
    assert_eq!(w.provider.count("list_changes"), 0, "it was not begun again");
    assert_eq!(w.engine.mirror.dead_jobs(&w.caller).await.unwrap().len(), 1);

    // A person asks for it.
    w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap();
    while w.later(0).await > 0 {}
    let state = w.engine.mirror.sync_status(&w.caller, w.connection.id).await.unwrap().state;
    assert_eq!((state.phase, state.error), (SyncPhase::Idle, None));
    assert!(w.engine.mirror.dead_jobs(&w.caller).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_message_that_takes_the_process_down_does_not_hold_up_the_others() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    let counterpart = w.provider.edit("x1", |t| t.when = half_hour(monday("10:00")));
    crate::webhooks::send(&w, "poison", WebhookEvent::ChangedGoAndSync(None)).await;
    w.clock.pass_seconds(1);
    crate::webhooks::send(&w, "good", WebhookEvent::Updated(counterpart)).await;
    for _ in 0..limits::JOB_CRASHES_MAX {
        assert_eq!(dies(&w).await, 1);
    }
    while w.later(5).await > 0 {}
    assert_eq!(w.provider.state().handled, [b"good".to_vec()], "the first one was passed over");
    assert_eq!(w.booking(booking.id).await.when.start(), monday("10:00"));
    let messages = w.engine.inbound.list_webhooks(&w.caller, w.connection.id, None, 9).await.unwrap();
    let poison = messages.iter().find(|m| m.status == WebhookStatus::Failed).unwrap();
    assert!(poison.detail.as_ref().unwrap().contains("3 times"), "{poison:?}");
    w.engine.inbound.reprocess_webhook(&w.caller, w.connection.id, poison.id).await.unwrap();
    while w.later(5).await > 0 {}
    assert_eq!(w.provider.state().handled.len(), 2, "a person may have it worked on once more");
}

#[tokio::test]
async fn a_job_that_panics_has_failed_like_any_other() {
    let w = world().await;
    w.provider.next("create", Fault::Before(LOST));
    let id = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap().booking.id;
    w.provider.next("find_by_reference", Fault::DiesBefore);
    assert_eq!(w.later(5).await, 1);
    let job = w.engine.store().list_jobs(w.tenant.id, false, None, 9).await.unwrap().remove(0);
    assert_eq!((job.attempt, job.crashes, job.leased_until), (2, 0, None), "it is not held any more");
    assert!(job.last_error.unwrap().contains("defect"));
    assert_eq!(w.later(10).await, 1, "long before a lease would have run out");
    w.agrees(id).await;
}
