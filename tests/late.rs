//! Messages that come late: a retry, whose time was made anew or cannot be, and one that is played again.

use std::path::Path;

use berth_model::{
    bookings::booking::BookingStatus,
    connections::secret::{Credentials, Secret},
    inbound::{
        message::WebhookStatus,
        webhook::{self, Refused},
    },
    limits,
    outbound::provider::WebhookRequest,
    plugins::manifest::{Manifest, TimestampFormat, WebhookScheme, WebhookSpec},
    problem::Code,
    time::{Clock as _, Instant},
};
use berth_simulators::calcom::Delivery;
use berth_tests::with_calcom;
use ring::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::json;

const SECRET: &str = "made-up-secret";
/// A retry that many senders make, in seconds: longer than minutes, within an hour.
const RETRIED_AFTER: i64 = 900;

/// The `[webhook]` of each component that checks a time, with what signs for its provider.
fn specs() -> Vec<(String, WebhookSpec, Ed25519KeyPair)> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let mut specs = Vec::new();
    for folder in std::fs::read_dir(plugins).unwrap() {
        let Ok(text) = std::fs::read_to_string(folder.unwrap().path().join("plugin.toml")) else { continue };
        let manifest = Manifest::parse(&text).unwrap();
        let Some(mut spec) = manifest.webhook.filter(|spec| spec.tolerance_seconds > 0) else { continue };
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        if spec.scheme == WebhookScheme::Ed25519 {
            spec.public_key = Some(base64(pair.public_key().as_ref()));
        }
        specs.push((manifest.id.to_string(), spec, pair));
    }
    specs.sort_by(|one, other| one.0.cmp(&other.0));
    specs
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn written(spec: &WebhookSpec, at: Instant) -> String {
    let seconds = at.micros() / 1_000_000;
    match spec.timestamp.as_ref().unwrap().format {
        TimestampFormat::Rfc3339 => at.to_string(),
        TimestampFormat::UnixSeconds => seconds.to_string(),
        TimestampFormat::UnixMillis => (seconds * 1_000).to_string(),
    }
}

/// The body of a message of this time, which says so itself where its provider's do.
fn body(spec: &WebhookSpec, at: Instant) -> Vec<u8> {
    let field = spec.timestamp.as_ref().unwrap().body_field.as_deref();
    let mut body = json!({ "id": "made-up" });
    if let Some(name) = field.and_then(|pointer| pointer.strip_prefix('/')) {
        body[name] = json!(written(spec, at));
    }
    serde_json::to_vec(&body).unwrap()
}

/// What a sender that sends now puts before this body.
fn headers(spec: &WebhookSpec, pair: &Ed25519KeyPair, body: &[u8], now: Instant) -> Vec<(String, String)> {
    let source = spec.timestamp.as_ref().unwrap();
    let now = written(spec, now);
    let text = std::str::from_utf8(body).unwrap();
    let signed = spec.input.replace("{timestamp}", &now).replace("{body}", text);
    let signature = match spec.scheme {
        WebhookScheme::Ed25519 => base64(pair.sign(signed.as_bytes()).as_ref()),
        _ => {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), signed.as_bytes());
            tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        }
    };
    let signature = format!("{}{signature}", spec.prefix);
    let signature = match (&spec.header_part, &source.header_part) {
        (Some(part), Some(time)) => format!("{time}={now},{part}={signature}"),
        (Some(part), None) => format!("{part}={signature}"),
        (None, _) => signature,
    };
    let mut headers = vec![(spec.header.clone(), signature)];
    headers.extend(source.header.clone().map(|name| (name, now)));
    headers
}

#[test]
fn a_retry_counts_as_long_as_the_sender_retries_and_nothing_older_does() {
    let at = |seconds: i64| Instant::from_seconds(1_800_000_000 + seconds);
    let specs = specs();
    let names: Vec<&str> = specs.iter().map(|(name, ..)| name.as_str()).collect();
    for name in ["booksy", "calcom", "calendly", "gohighlevel", "reference", "acme"] {
        assert!(names.iter().any(|known| known.contains(name)), "{name} is not among {names:?}");
    }
    for (name, spec, pair) in &specs {
        let secret = spec.secret.clone().unwrap_or_default();
        let credentials = Credentials::from([(secret, Secret::new(SECRET.to_owned()))]);
        let body = body(spec, at(0));
        let first = headers(spec, pair, &body, at(0));
        let verdict = |headers: &[(String, String)], now: i64| {
            webhook::verify(spec, &credentials, headers, &body, at(now))
        };
        assert_eq!(verdict(&first, 0), Ok(()), "{name}");
        // The same body, sent again: in it the time of the first try, in a header the time of this one.
        let again = headers(spec, pair, &body, at(RETRIED_AFTER));
        assert_eq!(verdict(&again, RETRIED_AFTER), Ok(()), "{name}: a retry after {RETRIED_AFTER} s");
        // What was overheard is refused when it is older than any retry; until then it is known.
        let tolerance = i64::from(spec.tolerance_seconds);
        assert_eq!(verdict(&first, tolerance), Ok(()), "{name}");
        assert_eq!(verdict(&first, tolerance + 1), Err(Refused::TooOld), "{name}");
        assert!(tolerance <= limits::WEBHOOKS_KEPT_SECONDS, "{name}");
        // However patient: what comes from the future is wrong.
        assert_eq!(verdict(&first, -301), Err(Refused::InFuture), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_retry_is_taken_once_and_never_again() {
    let (world, simulator, connection, event_type) = with_calcom(48).await;
    let (engine, caller) = (&world.engine, &world.caller);
    let jobs = async || while engine.jobs.run_due_jobs(16).await.unwrap() > 0 {};
    let receive = async |delivery: &Delivery| {
        let request = WebhookRequest {
            method: "POST".to_owned(),
            headers: delivery.headers.clone(),
            query: String::new(),
            body: delivery.body.clone(),
            received_at: world.clock.now(),
            subscription: None,
        };
        engine
            .inbound
            .receive_webhook(&"calcom".parse().unwrap(), connection, request, None, "test")
            .await
            .map(drop)
    };
    let request = berth_tests::request(event_type.id, "2026-11-25T09:00:00Z".parse().unwrap());
    let booking = engine.bookings.book(caller, request).await.unwrap().booking;
    simulator.take_deliveries();
    simulator.cancel_out_of_band(booking.external_id.as_ref().unwrap(), "ill").unwrap();
    let told = simulator.take_deliveries();
    let taken = async || engine.inbound.list_webhooks(caller, connection, None, 50).await.unwrap().len();

    // Nobody answered at first. The sender tries again, with the same body.
    world.clock.advance_ms(RETRIED_AFTER * 1_000);
    receive(&told[0]).await.unwrap();
    jobs().await;
    assert_eq!(engine.bookings.booking(caller, booking.id).await.unwrap().status, BookingStatus::Cancelled);
    let (once, calls) = (taken().await, simulator.requests().len());
    // Played again, within the time of a retry: acknowledged, and nothing else.
    world.clock.advance_ms(RETRIED_AFTER * 1_000);
    receive(&told[0]).await.unwrap();
    assert_eq!(taken().await, once);
    let messages = engine.inbound.list_webhooks(caller, connection, None, 50).await.unwrap();
    assert!(messages.iter().all(|message| message.status != WebhookStatus::Stored), "{messages:?}");
    assert_eq!(simulator.requests().len(), calls);
    // And later than any retry.
    world.clock.advance_ms(7_200_000);
    assert_eq!(receive(&told[0]).await.unwrap_err().code, Code::WebhookRefused);
}
