//! Messages of the provider: signed or not, late, doubled, in the wrong order.

use berth_model::{
    booking::BookingStatus,
    limits,
    problem::{Code, Problem},
    provider::{ExternalBooking, ExternalStatus, WebhookEvent, WebhookOutcome, WebhookReply, WebhookRequest},
};
use ring::hmac;

use crate::{
    provider::{Fault, LOST},
    world::{World, half_hour, monday, world},
};

async fn signature(w: &World, body: &[u8]) -> String {
    let credentials = w.engine.store().connection_credentials(w.tenant.id, w.connection.id).await.unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, credentials["webhook-secret"].expose().as_bytes());
    let tag = hmac::sign(&key, body);
    tag.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

async fn send_signed(w: &World, body: &[u8], signature: String) -> Result<WebhookReply, Problem> {
    let request = WebhookRequest {
        method: "POST".into(),
        headers: vec![("x-signature".into(), signature)],
        query: String::new(),
        body: body.to_vec(),
        received_at: w.engine.now(),
        subscription: None,
    };
    w.engine.receive_webhook(&"acme".parse().unwrap(), w.connection.id, request, "req").await
}

/// Have the provider send a message that means this.
pub(crate) async fn send(w: &World, body: &str, event: WebhookEvent) {
    let outcome = WebhookOutcome { events: vec![event], reply: None };
    w.provider.state().messages.insert(body.as_bytes().to_vec(), Ok(outcome));
    let reply = send_signed(w, body.as_bytes(), signature(w, body.as_bytes()).await).await.unwrap();
    assert_eq!(reply.status, 200);
}

/// Status and detail of the last message.
pub(crate) async fn last(w: &World) -> (String, String) {
    let all = w.engine.store().list_webhooks(w.tenant.id, w.connection.id, 1).await.unwrap();
    (all[0].status.clone(), all[0].detail.clone().unwrap_or_default())
}

fn twin(w: &World, id: &str) -> ExternalBooking {
    w.provider.state().twins.iter().find(|t| t.id == id).unwrap().clone()
}

#[tokio::test]
async fn what_is_not_signed_is_not_kept() {
    let w = world().await;
    let good = signature(&w, b"{}").await;
    for (body, signature) in [(&b"{ }"[..], good.clone()), (b"{}", "00".repeat(32)), (b"{}", String::new())] {
        let problem = send_signed(&w, body, signature).await.unwrap_err();
        assert_eq!(problem.code, Code::WebhookRefused);
        assert_eq!(problem.detail, "The message is refused.", "the sender learns no more");
    }
    let all = w.engine.store().list_webhooks(w.tenant.id, w.connection.id, 10).await.unwrap();
    assert!(all.is_empty());
    assert_eq!(w.open_jobs().await, 0);
    send_signed(&w, b"{}", good).await.unwrap();
    assert_eq!(w.later(0).await, 1);
    assert_eq!(last(&w).await.0, "ignored");
}

#[tokio::test]
async fn a_message_is_worked_on_once_unless_it_says_nothing() {
    let w = world().await;
    for _ in 0..3 {
        send_signed(&w, b"{}", signature(&w, b"{}").await).await.unwrap();
    }
    assert_eq!(w.later(0).await, 1);
    send_signed(&w, b"{}", signature(&w, b"{}").await).await.unwrap();
    assert_eq!(w.later(0).await, 0);
    for _ in 0..2 {
        send_signed(&w, b"", signature(&w, b"").await).await.unwrap();
    }
    assert_eq!(w.later(0).await, 2, "an empty message is news each time");
}

#[tokio::test]
async fn a_cancellation_there_cancels_here() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let cancelled = w.provider.edit("x1", |t| {
        t.status = ExternalStatus::Cancelled;
        t.cancellation_reason = Some("ill".into());
    });
    send(&w, "c", WebhookEvent::Cancelled(cancelled)).await;
    w.later(0).await;
    let now = w.booking(booking.id).await;
    assert_eq!((now.status, now.reason.as_deref()), (BookingStatus::Cancelled, Some("ill")));
    w.agrees(booking.id).await;
    assert_eq!(w.timeline(booking.id).await.last().unwrap(), "booking.cancelled_by_provider");
    w.booked(monday("10:00")).await;
}

#[tokio::test]
async fn moves_may_arrive_in_any_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
        let w = world().await;
        let booking = w.booked(monday("09:00")).await;
        let second = w.provider.move_twin("x1", half_hour(monday("10:00")));
        let third = w.provider.move_twin("x2", half_hour(monday("11:00")));
        let news = [
            WebhookEvent::Rescheduled { old_id: "x1".into(), booking: second.clone() },
            // The half of a move that looks like a cancellation.
            WebhookEvent::Cancelled(twin(&w, "x1")),
            WebhookEvent::Rescheduled { old_id: "x2".into(), booking: third.clone() },
        ];
        for i in order {
            send(&w, &format!("m{i}"), news[i].clone()).await;
            w.later(0).await;
        }
        let now = w.booking(booking.id).await;
        assert_eq!(now.external_id.as_deref(), Some("x3"), "{order:?}");
        assert_eq!(now.when.start(), monday("11:00"), "{order:?}");
        w.agrees(booking.id).await;
    }
}

#[tokio::test]
async fn older_news_is_passed_over() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    let at = |minutes| Some(w.engine.now().plus_minutes(minutes));
    let new = w.provider.edit("x1", |t| {
        t.when = half_hour(monday("11:00"));
        t.updated_at = at(2);
    });
    let old = ExternalBooking { when: half_hour(monday("10:00")), updated_at: at(1), ..new.clone() };
    send(&w, "new", WebhookEvent::Updated(new)).await;
    w.later(0).await;
    send(&w, "old", WebhookEvent::Updated(old)).await;
    w.later(0).await;
    assert!(last(&w).await.1.contains("older"));
    assert_eq!(w.booking(booking.id).await.when.start(), monday("11:00"));
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn a_move_onto_a_taken_time_is_left_to_a_person() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    w.booked(monday("10:00")).await;
    let moved = w.provider.edit("x1", |t| t.when = half_hour(monday("10:00")));
    send(&w, "m", WebhookEvent::Updated(moved)).await;
    w.later(0).await;
    let (status, detail) = last(&w).await;
    assert_eq!(status, "failed");
    assert!(detail.contains("which is taken here"), "{detail}");
    assert_eq!(w.booking(booking.id).await.when, booking.when);
    assert_eq!(w.timeline(booking.id).await.last().unwrap(), "booking.conflict");
}

#[tokio::test]
async fn our_own_change_under_way_goes_first() {
    let w = world().await;
    w.provider.next("create", Fault::After(LOST));
    let outcome = w.engine.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(outcome.pending);
    let made = twin(&w, "x1");
    send(&w, "made", WebhookEvent::Created(made)).await;
    w.later(5).await;
    assert_eq!(w.booking(outcome.booking.id).await.status, BookingStatus::Confirmed);
    assert_eq!(w.provider.count("create"), 1);
    w.agrees(outcome.booking.id).await;
}

#[tokio::test]
async fn changed_go_and_sync_asks_the_provider() {
    let w = world().await;
    let booking = w.booked(monday("09:00")).await;
    w.provider.edit("x1", |t| t.when = half_hour(monday("11:00")));
    w.provider.next("get", Fault::Before(LOST));
    send(&w, "s", WebhookEvent::ChangedGoAndSync(Some("x1".into()))).await;
    assert_eq!(w.later(0).await, 1);
    assert_eq!(w.booking(booking.id).await.when, booking.when, "no answer yet");
    assert_eq!(w.later(5).await, 1);
    assert_eq!(w.booking(booking.id).await.when.start(), monday("11:00"));
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn bookings_that_are_not_ours_only_change_availability() {
    let w = world().await;
    let mut stranger = {
        w.booked(monday("09:00")).await;
        twin(&w, "x1")
    };
    stranger.id = "y1".into();
    stranger.reference = None;
    send(&w, "y", WebhookEvent::Created(stranger)).await;
    w.later(0).await;
    let (status, detail) = last(&w).await;
    assert_eq!(status, "processed");
    assert!(detail.contains("not a booking of ours"));
}

#[tokio::test]
async fn a_message_that_cannot_be_worked_on_ends_with_its_reason() {
    let w = world().await;
    w.provider.state().messages.insert(b"bad".to_vec(), Err(LOST));
    send_signed(&w, b"bad", signature(&w, b"bad").await).await.unwrap();
    for _ in 0..limits::JOB_ATTEMPTS_MAX {
        assert_eq!(w.later(900).await, 1);
    }
    assert_eq!(w.later(900).await, 0);
    assert_eq!(last(&w).await, ("failed".into(), "The provider does not answer.".into()));
}

#[tokio::test]
async fn the_worker_is_woken_and_finishes_what_it_began() {
    let w = world().await;
    let (began, has_begun) = tokio::sync::oneshot::channel();
    w.provider.next(
        "handle",
        Fault::Meanwhile(Box::new(move || {
            Box::pin(async move {
                began.send(()).unwrap();
                tokio::task::yield_now().await;
            })
        })),
    );
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let engine = w.engine.clone();
    let worker = tokio::spawn(async move { engine.work(stopped).await });
    send_signed(&w, b"{}", signature(&w, b"{}").await).await.unwrap();
    has_begun.await.unwrap();
    stop.send(true).unwrap();
    worker.await.unwrap();
    assert_eq!(last(&w).await.0, "ignored");
    assert_eq!(w.open_jobs().await, 0);
}

#[tokio::test]
async fn a_handshake_is_answered_and_not_kept() {
    let w = world().await;
    let credentials = w.engine.store().connection_credentials(w.tenant.id, w.connection.id).await.unwrap();
    let ask = async |token: &str| {
        let request = WebhookRequest {
            method: "GET".into(),
            headers: Vec::new(),
            query: format!("challenge=abc&token={token}"),
            body: Vec::new(),
            received_at: w.engine.now(),
            subscription: None,
        };
        w.engine.receive_webhook(&"acme".parse().unwrap(), w.connection.id, request, "req").await
    };
    let reply = ask(credentials["webhook-secret"].expose()).await.unwrap();
    assert_eq!((reply.status, reply.content_type.as_str(), reply.body), (200, "text/plain", b"abc".to_vec()));
    assert_eq!(ask("guess").await.unwrap_err().code, Code::WebhookRefused);
    let all = w.engine.store().list_webhooks(w.tenant.id, w.connection.id, 10).await.unwrap();
    assert!(all.is_empty());
}
