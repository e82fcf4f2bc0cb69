//! Making and cancelling the counterpart, whatever happens in between.

use berth_engine::CancelBooking;
use berth_model::{
    bookings::booking::BookingStatus,
    connections::connection::ConnectionStatus,
    limits,
    outbound::provider::{CallError, ExternalFieldProblem, ExternalStatus, ProviderConflict, ProviderError},
    problem::Code,
};
use berth_store::records::{Audit, BookingFilter};

use crate::{
    provider::{Fault, LOST},
    world::{monday, world},
};

fn provider(error: ProviderError) -> CallError {
    CallError::Provider(error)
}

#[tokio::test]
async fn a_booking_is_confirmed_in_the_request() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    assert_eq!(booking.status, BookingStatus::Confirmed);
    assert_eq!(booking.member, w.ana.id);
    w.agrees(booking.id).await;
    assert_eq!(w.provider.count("find_by_reference"), 0, "a first try needs no lookup");
    assert_eq!(w.timeline(booking.id).await, ["booking.created", "booking.confirmed"]);
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_counterpart() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(outcome.pending);
    assert_eq!(outcome.booking.status, BookingStatus::Pending);
    assert_eq!(w.later(5).await, 1);
    assert_eq!(w.provider.count("create"), 1);
    assert_eq!(w.booking(outcome.booking.id).await.status, BookingStatus::Confirmed);
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn a_counterpart_that_was_called_off_before_we_heard_of_it_is_not_made_again() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(outcome.pending);
    let id = w.provider.active()[0].id.clone();
    w.provider.edit(&id, |counterpart| counterpart.status = ExternalStatus::Cancelled);
    assert_eq!(w.later(5).await, 1);
    assert_eq!(w.provider.count("create"), 1);
    assert_eq!(w.booking(outcome.booking.id).await.status, BookingStatus::Cancelled);
    let told = ["booking.created", "booking.sync_failed", "booking.cancelled_by_provider"];
    assert_eq!(w.timeline(outcome.booking.id).await, told);
    w.booked(monday("10:00")).await;
}

#[tokio::test]
async fn a_refused_lookup_refuses_no_booking() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    w.provider.next("find_by_reference", Fault::Before(provider(ProviderError::Forbidden("no".into()))));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    w.later(5).await;
    assert_eq!(w.booking(outcome.booking.id).await.status, BookingStatus::Pending, "it may have been made");
    w.later(600).await;
    assert_eq!(w.provider.count("create"), 1);
    w.agrees(outcome.booking.id).await;

    // A provider that knows keys and looks nothing up is asked again with the same key.
    w.provider.next("create", Fault::Before(LOST));
    w.provider.next("find_by_reference", Fault::Before(provider(ProviderError::Unsupported { url: None })));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("11:00"))).await.unwrap();
    w.later(600).await;
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn a_lost_request_is_made_again() {
    let w = world().await;
    w.provider.next("create", Fault::Before(LOST));
    w.provider.next("find_by_reference", Fault::Before(LOST));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(outcome.pending);
    assert_eq!(w.later(5).await, 1);
    assert_eq!(w.provider.count("create"), 1, "nothing is made while the lookup gives no answer");
    assert_eq!(w.later(10).await, 1);
    assert_eq!(w.provider.count("create"), 2);
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn a_process_that_dies_before_or_after_the_call_leaves_one_counterpart() {
    for fault in [Fault::DiesBefore, Fault::DiesAfter] {
        let w = world().await;
        w.provider.next("create", fault);
        let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
        assert!(outcome.pending);
        assert_eq!(w.later(1).await, 0, "the lease still stands");
        assert_eq!(w.later(i64::try_from(limits::JOB_LEASE_MS).unwrap() / 1_000).await, 1);
        assert_eq!(w.booking(outcome.booking.id).await.status, BookingStatus::Confirmed);
        w.agrees(outcome.booking.id).await;
    }
}

#[tokio::test]
async fn of_several_counterparts_the_oldest_is_kept() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    {
        let mut state = w.provider.state();
        let mut double = state.bookings[0].clone();
        double.id = "double".into();
        state.bookings.push(double);
    }
    w.later(5).await;
    assert_eq!(w.booking(outcome.booking.id).await.external_id.as_deref(), Some("x1"));
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn a_counterpart_that_was_moved_meanwhile_moves_the_booking() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    w.provider.move_booking("x1", crate::world::half_hour(monday("11:00")));
    w.later(5).await;
    let booking = w.booking(outcome.booking.id).await;
    assert_eq!((booking.status, booking.when.start()), (BookingStatus::Confirmed, monday("11:00")));
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_refusal_frees_the_time_and_says_why() {
    let w = world().await;
    let taken = provider(ProviderError::Conflict(ProviderConflict::SlotTaken));
    let field = ExternalFieldProblem { field: "phone".into(), message: "is needed".into() };
    for (error, code, says) in [
        (taken, Code::SlotTaken, "not offer this time"),
        (provider(ProviderError::Invalid(vec![field])), Code::ProviderRefused, "phone: is needed"),
        (provider(ProviderError::Forbidden("read only".into())), Code::ProviderRefused, "read only"),
    ] {
        w.provider.next("create", Fault::Before(error));
        let problem = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap_err();
        assert_eq!(problem.code, code);
        assert!(problem.detail.contains(says), "{}", problem.detail);
    }
    let failed = w.engine.bookings.list_bookings(&w.caller, BookingFilter::default(), 10).await.unwrap();
    assert_eq!(failed.len(), 3);
    for booking in failed {
        assert_eq!(booking.status, BookingStatus::Failed);
        assert!(booking.reason.is_some());
        w.agrees(booking.id).await;
    }
    w.booked(monday("10:00")).await;
}

#[tokio::test]
async fn refused_credentials_mark_the_connection_and_wait_long() {
    let w = world().await;
    w.provider.next("create", Fault::Before(provider(ProviderError::Unauthorised)));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(outcome.pending);
    let connection = w.engine.connections.connection(&w.caller, w.connection.id).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Unauthorised);
    assert_eq!(w.later(600).await, 0);
    assert_eq!(w.later(300).await, 1);
    let connection = w.engine.connections.connection(&w.caller, w.connection.id).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Healthy);
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn the_provider_says_when_to_come_back_within_reason() {
    let w = world().await;
    let limited = |ms| Fault::Before(provider(ProviderError::RateLimited { retry_after_ms: Some(ms) }));
    w.provider.next("create", limited(120_000));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert_eq!(w.later(119).await, 0);
    w.provider.next("create", limited(u64::MAX));
    assert_eq!(w.later(1).await, 1);
    assert_eq!(w.later(3_600).await, 0);
    assert_eq!(w.later(23 * 3_600).await, 1, "nobody may put a try off for ever");
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn what_is_given_up_is_kept_for_a_person() {
    let w = world().await;
    for _ in 0..limits::JOB_ATTEMPTS_MAX {
        w.provider.next("create", Fault::Before(LOST));
    }
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    for _ in 1..limits::JOB_ATTEMPTS_MAX {
        assert_eq!(w.later(900).await, 1);
    }
    assert_eq!(w.later(86_400).await, 0);
    let id = outcome.booking.id;
    // After the 1st, 2nd, 4th, 8th and 16th try.
    let mut told = vec!["booking.created"];
    told.extend(["booking.sync_failed"; 5]);
    told.push("booking.sync_given_up");
    assert_eq!(w.timeline(id).await, told);
    let dead = w.engine.store().dead_jobs(w.tenant.id, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    let booking = w.booking(id).await;
    assert_eq!(booking.status, BookingStatus::Pending, "its time stays taken until a person decides");
    // The person gives it a new life: the provider is looked at before anything is made.
    let audit = Audit {
        id: berth_model::id::Id::from_uuid(dead[0].id.uuid()),
        at: w.engine.now(),
        actor: "operator".into(),
        request_id: "req".into(),
    };
    w.engine.store().requeue_job(w.tenant.id, dead[0].id, w.engine.now(), audit).await.unwrap();
    let looked = w.provider.count("find_by_reference");
    assert_eq!(w.later(0).await, 1);
    assert_eq!(w.provider.count("find_by_reference"), looked + 1);
    w.agrees(id).await;
}

#[tokio::test]
async fn a_cancellation_overtakes_the_creation_under_way() {
    let w = world().await;
    let (engine, caller) = (w.engine.clone(), w.caller.clone());
    w.provider.next(
        "create",
        Fault::Meanwhile(Box::new(move || {
            Box::pin(async move {
                let filter = BookingFilter::default();
                let id = engine.bookings.list_bookings(&caller, filter, 1).await.unwrap()[0].id;
                let cancelled = engine.bookings.cancel(&caller, id, CancelBooking::default()).await.unwrap();
                assert!(cancelled.pending, "the creation holds the job");
            })
        })),
    );
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert_eq!(outcome.booking.status, BookingStatus::Cancelled);
    assert_eq!(outcome.booking.external_id.as_deref(), Some("x1"), "the counterpart is remembered");
    assert_eq!(w.provider.active().len(), 1);
    assert_eq!(w.later(0).await, 1);
    w.agrees(outcome.booking.id).await;
    w.booked(monday("10:00")).await;
}

#[tokio::test]
async fn cancelling_is_told_once_and_may_be_repeated() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let cancelled = w.cancel(booking.id).await.unwrap();
    assert!(!cancelled.pending);
    assert_eq!(cancelled.booking.status, BookingStatus::Cancelled);
    w.agrees(booking.id).await;
    let again = w.cancel(booking.id).await.unwrap();
    assert_eq!(again.booking, cancelled.booking);
    assert_eq!(w.provider.count("cancel"), 1);
    w.booked(monday("10:00")).await;
}

#[tokio::test]
async fn a_cancellation_whose_answer_is_lost_ends_well() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.next("cancel", Fault::After(LOST));
    assert!(w.cancel(booking.id).await.unwrap().pending);
    let held = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!(held.code, Code::SlotTaken, "the time is taken until the provider knows");
    w.later(5).await;
    w.agrees(booking.id).await;
    w.booked(monday("10:00")).await;
}

#[tokio::test]
async fn a_counterpart_of_unknown_id_is_found_and_cancelled() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(w.cancel(outcome.booking.id).await.unwrap().pending);
    w.later(5).await;
    assert_eq!(w.provider.count("cancel"), 1);
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn a_counterpart_that_is_gone_counts_as_cancelled() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.state().bookings.clear();
    assert!(!w.cancel(booking.id).await.unwrap().pending);
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn who_names_a_sequence_cancels_only_that() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let cancel = |sequence| CancelBooking { expected_sequence: Some(sequence), ..CancelBooking::default() };
    let stale =
        w.engine.bookings.cancel(&w.caller, booking.id, cancel(booking.sequence - 1)).await.unwrap_err();
    assert_eq!(stale.code, Code::Changed);
    w.engine.bookings.cancel(&w.caller, booking.id, cancel(booking.sequence)).await.unwrap();
}

#[tokio::test]
async fn a_refused_cancellation_ends_at_once_and_the_booking_stands() {
    let w = world().await;
    let too_late = || provider(ProviderError::Conflict(ProviderConflict::WrongState("too late".into())));
    let elsewhere =
        provider(ProviderError::Unsupported { url: Some("https://provider.example/cancel".into()) });
    for (error, code, says) in [
        (too_late(), Code::WrongState, "too late"),
        (elsewhere, Code::ProviderUnsupported, "https://provider.example/cancel"),
        (CallError::NotOffered("bookings"), Code::ProviderUnsupported, "bookings"),
    ] {
        let booking = w.booked(monday("10:00")).await;
        w.provider.next("cancel", Fault::Before(error));
        let problem = w.cancel(booking.id).await.unwrap_err();
        assert_eq!(problem.code, code);
        assert!(problem.detail.contains(says), "{}", problem.detail);
        let stands = w.booking(booking.id).await;
        assert_eq!((stands.status, stands.when), (BookingStatus::Confirmed, booking.when));
        assert!(stands.reason.is_some_and(|reason| reason.contains(says)));
        assert_eq!(w.timeline(booking.id).await.last().map(String::as_str), Some("booking.cancel_refused"));
        w.agrees(booking.id).await;
        let held = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap_err();
        assert_eq!(held.code, Code::SlotTaken, "its time is taken");
        assert_eq!(w.cancel(booking.id).await.unwrap().booking.status, BookingStatus::Cancelled);
        w.agrees(booking.id).await;
    }
}

#[tokio::test]
async fn a_cancellation_that_is_refused_later_shows_in_the_booking() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    w.provider.next("cancel", Fault::Before(LOST));
    assert!(w.cancel(booking.id).await.unwrap().pending);
    w.provider.move_booking("x1", crate::world::half_hour(monday("11:00")));
    w.provider.next("cancel", Fault::Before(provider(ProviderError::Forbidden("read only".into()))));
    assert_eq!(w.later(5).await, 1);
    let stands = w.booking(booking.id).await;
    assert_eq!(
        (stands.status, stands.when.start()),
        (BookingStatus::Confirmed, monday("11:00")),
        "as its counterpart"
    );
    assert_eq!(w.later(86_400).await, 0, "nothing is tried again");
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_counterpart_that_nobody_may_look_for_leaves_the_booking_cancelled() {
    let w = world().await;
    w.provider.next("create", Fault::Before(LOST));
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(w.cancel(outcome.booking.id).await.unwrap().pending);
    let forbidden = provider(ProviderError::Forbidden("read only".into()));
    w.provider.next("find_by_reference", Fault::Before(forbidden));
    assert_eq!(w.later(5).await, 1);
    let booking = w.booking(outcome.booking.id).await;
    assert_eq!((booking.status, booking.provider_task), (BookingStatus::Cancelled, None));
    assert_eq!(w.timeline(booking.id).await.last().map(String::as_str), Some("booking.cancel_refused"));
    w.booked(monday("10:00")).await;
}
