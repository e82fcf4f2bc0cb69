//! Messages of the provider: signed or not, late, doubled, in the wrong order.

use berth_model::{
    bookings::booking::BookingStatus,
    inbound::message::WebhookStatus,
    jobs::kind::JobQueue,
    limits,
    outbound::provider::{
        ExternalBooking, ExternalStatus, WebhookEvent, WebhookOutcome, WebhookReply, WebhookRequest,
    },
    problem::{Code, Problem},
};
use ring::hmac;

use crate::{
    provider::{Fault, LOST},
    world::{World, half_hour, monday, world},
};

pub(crate) async fn secret(w: &World) -> String {
    let credentials = w.engine.store().connection_credentials(w.tenant.id, w.connection.id).await.unwrap();
    credentials["webhook-secret"].expose().to_owned()
}

async fn signature(w: &World, body: &[u8]) -> String {
    signed_with(&secret(w).await, body)
}

pub(crate) fn signed_with(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body);
    tag.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

pub(crate) async fn send_signed(w: &World, body: &[u8], signature: String) -> Result<WebhookReply, Problem> {
    let request = WebhookRequest {
        method: "POST".into(),
        headers: vec![("x-signature".into(), signature)],
        query: String::new(),
        body: body.to_vec(),
        received_at: w.engine.now(),
        subscription: None,
    };
    w.engine.inbound.receive_webhook(&"acme".parse().unwrap(), w.connection.id, request, None, "req").await
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
    let all = w.engine.store().list_webhooks(w.tenant.id, w.connection.id, None, 1).await.unwrap();
    (all[0].status.as_str().to_owned(), all[0].detail.clone().unwrap_or_default())
}

fn external(w: &World, id: &str) -> ExternalBooking {
    w.provider.state().bookings.iter().find(|t| t.id == id).unwrap().clone()
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
    let all = w.engine.store().list_webhooks(w.tenant.id, w.connection.id, None, 10).await.unwrap();
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
    assert_eq!(w.later(0).await, 1, "one job works on both");
    let all = w.engine.inbound.list_webhooks(&w.caller, w.connection.id, None, 9).await.unwrap();
    assert_eq!(all.len(), 3, "an empty message is news each time");
    assert!(all.iter().all(|m| m.status == WebhookStatus::Ignored));
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
        let second = w.provider.move_booking("x1", half_hour(monday("10:00")));
        let third = w.provider.move_booking("x2", half_hour(monday("11:00")));
        let news = [
            WebhookEvent::Rescheduled { old_id: "x1".into(), booking: second.clone() },
            // The half of a move that looks like a cancellation.
            WebhookEvent::Cancelled(external(&w, "x1")),
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
    w.clock.pass_seconds(1);
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
    let outcome = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
    assert!(outcome.pending);
    let made = external(&w, "x1");
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
        external(&w, "x1")
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
    assert_eq!(w.later(900).await, 1, "whether something waits behind it");
    assert_eq!(w.later(900).await, 0);
    assert_eq!(last(&w).await, ("failed".into(), "The provider does not answer.".into()));
}

#[tokio::test]
async fn a_burst_does_not_use_up_the_tries_of_a_message() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    let cancelled = w.provider.edit("x1", |t| t.status = ExternalStatus::Cancelled);
    w.provider.state().messages.insert(b"c".to_vec(), Err(LOST));
    send_signed(&w, b"c", signature(&w, b"c").await).await.unwrap();
    for n in 0..2 * limits::JOB_ATTEMPTS_MAX {
        let body = format!("{{\"n\":{n}}}");
        send_signed(&w, body.as_bytes(), signature(&w, body.as_bytes()).await).await.unwrap();
        w.later(1).await;
    }
    let outcome = WebhookOutcome { events: vec![WebhookEvent::Cancelled(cancelled)], reply: None };
    w.provider.state().messages.insert(b"c".to_vec(), Ok(outcome));
    w.later(900).await;
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Cancelled);
    for _ in 0..3 {
        w.later(900).await;
    }
    assert_eq!(w.open_jobs().await, 0);
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
    let worker = tokio::spawn(async move { engine.jobs.work(JobQueue::Bookings, stopped).await });
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
        w.engine
            .inbound
            .receive_webhook(&"acme".parse().unwrap(), w.connection.id, request, None, "req")
            .await
    };
    let reply = ask(credentials["webhook-secret"].expose()).await.unwrap();
    assert_eq!((reply.status, reply.content_type.as_str(), reply.body), (200, "text/plain", b"abc".to_vec()));
    assert_eq!(ask("guess").await.unwrap_err().code, Code::WebhookRefused);
    let all = w.engine.store().list_webhooks(w.tenant.id, w.connection.id, None, 10).await.unwrap();
    assert!(all.is_empty());
}

/// A message that the provider signed.
async fn signed(w: &World, body: &str) -> WebhookRequest {
    WebhookRequest {
        method: "POST".into(),
        headers: vec![("x-signature".into(), signature(w, body.as_bytes()).await)],
        query: String::new(),
        body: body.as_bytes().to_vec(),
        received_at: w.engine.now(),
        subscription: None,
    }
}

#[tokio::test]
async fn messages_of_a_connection_are_worked_on_in_the_order_they_came() {
    let w = world().await;
    let bodies: Vec<String> = (0..limits::WEBHOOKS_AT_ONCE + 5).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
    for body in &bodies {
        let request = signed(&w, body).await;
        let plugin = "acme".parse().unwrap();
        w.engine.inbound.receive_webhook(&plugin, w.connection.id, request, None, "req").await.unwrap();
    }
    assert_eq!(w.open_jobs().await, 1, "one for all of them");
    // The third cannot be worked on now: those behind it wait.
    for _ in 0..2 {
        w.provider.next("handle", Fault::Meanwhile(Box::new(|| Box::pin(async {}))));
    }
    w.provider.next("handle", Fault::Before(LOST));
    w.later(0).await;
    let done = || async {
        let all = w.engine.inbound.list_webhooks(&w.caller, w.connection.id, None, 100).await.unwrap();
        all.iter().filter(|m| m.status != WebhookStatus::Stored).count()
    };
    assert_eq!(done().await, 2);
    while w.later(60).await > 0 {}
    assert_eq!(done().await, bodies.len());
    let handled: Vec<Vec<u8>> = w.provider.state().handled.clone();
    let mut expected: Vec<Vec<u8>> = bodies.iter().map(|b| b.as_bytes().to_vec()).collect();
    expected.insert(2, expected[2].clone());
    assert_eq!(handled, expected);
}

#[tokio::test]
async fn a_message_is_worked_on_once_more_when_somebody_asks() {
    let w = world().await;
    let refused = Err(berth_model::outbound::provider::CallError::Provider(
        berth_model::outbound::provider::ProviderError::NotFound,
    ));
    w.provider.state().messages.insert(b"{}".to_vec(), refused);
    send_signed(&w, b"{}", signature(&w, b"{}").await).await.unwrap();
    w.later(0).await;
    assert_eq!(last(&w).await.0, "failed");
    let id = w.engine.inbound.list_webhooks(&w.caller, w.connection.id, None, 1).await.unwrap()[0].id;
    w.provider.state().messages.clear();
    assert_eq!(
        w.engine.inbound.reprocess_webhook(&w.caller, w.connection.id, id).await.unwrap().status,
        WebhookStatus::Stored
    );
    let twice = w.engine.inbound.reprocess_webhook(&w.caller, w.connection.id, id).await.unwrap_err();
    assert_eq!(twice.code, Code::WrongState);
    assert_eq!(w.later(0).await, 1);
    assert_eq!(last(&w).await.0, "ignored");
}

#[tokio::test]
async fn only_named_networks_may_send_and_refusals_are_counted() {
    let w = world().await;
    let patch = |sources: &[&str]| berth_engine::ConnectionPatch {
        webhook_sources: Some(Some(sources.iter().map(ToString::to_string).collect())),
        ..berth_engine::ConnectionPatch::default()
    };
    let bad = w
        .engine
        .connections
        .update_connection(&w.caller, w.connection.id, patch(&["nonsense"]), None)
        .await
        .unwrap_err();
    assert_eq!(bad.errors[0].field, "/webhook_sources/0");
    w.engine
        .connections
        .update_connection(&w.caller, w.connection.id, patch(&["192.0.2.0/24"]), None)
        .await
        .unwrap();
    let plugin = "acme".parse().unwrap();
    for source in [None, Some("198.51.100.1")] {
        let source = source.map(|ip| ip.parse().unwrap());
        let request = signed(&w, "{}").await;
        let refused =
            w.engine.inbound.receive_webhook(&plugin, w.connection.id, request, source, "req").await;
        assert_eq!(refused.unwrap_err().code, Code::WebhookRefused);
    }
    let request = signed(&w, "{}").await;
    let source = Some("192.0.2.9".parse().unwrap());
    w.engine.inbound.receive_webhook(&plugin, w.connection.id, request, source, "req").await.unwrap();
    let forged =
        WebhookRequest { headers: vec![("x-signature".into(), "00".repeat(32))], ..signed(&w, "{}").await };
    assert!(w.engine.inbound.receive_webhook(&plugin, w.connection.id, forged, source, "req").await.is_err());
    let counted = w.engine.inbound.webhook_refusals(&w.caller, w.connection.id).await.unwrap();
    assert_eq!((counted[0].reason.as_str(), counted[0].refused), ("mismatch", 1));
    assert_eq!((counted[1].reason.as_str(), counted[1].refused), ("source_not_allowed", 2));
}

#[tokio::test]
async fn a_message_that_names_the_account_finds_its_connections() {
    let w = world().await;
    let plugin = "acme".parse().unwrap();
    let send = |request| w.engine.inbound.receive_account_webhook(&plugin, request, None, "req");
    let body = r#"{"account":"acc-1"}"#;
    // Another connection to the same account has another secret: the message is not for it.
    let other = crate::world::new_connection();
    w.engine.connections.create_connection(&w.caller, other).await.unwrap();
    send(signed(&w, body).await).await.unwrap();
    assert_eq!(w.engine.inbound.list_webhooks(&w.caller, w.connection.id, None, 9).await.unwrap().len(), 1);
    let stranger = r#"{"account":"acc-2"}"#;
    assert_eq!(send(signed(&w, stranger).await).await.unwrap_err().code, Code::WebhookRefused);
    // What names no account is whose secret proves it.
    for (body, stored) in [("{}", 2), ("no json", 3)] {
        send(signed(&w, body).await).await.unwrap();
        let kept = w.engine.inbound.list_webhooks(&w.caller, w.connection.id, None, 9).await.unwrap();
        assert_eq!(kept.len(), stored, "{body}");
    }
    let forged =
        WebhookRequest { headers: vec![("x-signature".into(), "00".repeat(32))], ..signed(&w, body).await };
    assert_eq!(send(forged).await.unwrap_err().code, Code::WebhookRefused);
}

/// Send a message as the provider does.
pub(crate) async fn send_raw(w: &World, body: &[u8]) {
    send_signed(w, body, signature(w, body).await).await.unwrap();
}
