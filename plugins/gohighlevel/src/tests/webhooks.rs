//! Messages, and who may send them.

use berth_model::{
    connections::secret::Credentials, inbound::webhook, plugins::manifest::Manifest, time::Instant,
};
use berth_sdk::{
    Webhooks,
    types::{ProviderError, SubscribeRequest, WebhookEvent, WebhookRequest},
};
use serde_json::{Value, json};

use super::{at, provider, script};

/// The key pair of these tests has the seed 00 01 02 … 1f.
const PUBLIC_KEY: &str = "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const SIGNED: &[u8] = br#"{"type":"AppointmentCreate","locationId":"loc_1","timestamp":"2026-01-05T10:00:00Z","webhookId":"wh_1","appointment":{"id":"ap_1"}}"#;
const SIGNATURE: &str =
    "K4TTh2442ss9XQaQh7yCkzUtbmwhV71/oSorq1bSgsCsmcSshxLKT2X/qexhZfJcjO7hy4ygWmXNUG1JUJOjCQ==";

fn message(body: &[u8]) -> WebhookRequest {
    WebhookRequest {
        method: "POST".to_owned(),
        headers: Vec::new(),
        query: String::new(),
        body: body.to_vec(),
        received_at: 0,
        subscription: None,
    }
}

#[test]
fn berth_checks_the_signature_as_the_manifest_says() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let spec = manifest.webhook.unwrap();
    let check = |settings: &Value, header: &str, signature: &str, body: &[u8], at_time: &str| {
        let headers = [(header.to_owned(), signature.to_owned())];
        let now = Instant::from_micros(at(at_time));
        webhook::verify(&spec.under(settings), &Credentials::new(), &headers, body, now)
    };
    let ours = json!({ "webhook_public_key": PUBLIC_KEY });
    let in_time = "2026-01-05T11:59:59Z";
    assert_eq!(check(&ours, "X-GHL-Signature", SIGNATURE, SIGNED, in_time), Ok(()));
    assert!(check(&ours, "X-GHL-Signature", SIGNATURE, SIGNED, "2026-01-05T12:00:01Z").is_err(), "too old");
    assert!(check(&ours, "X-GHL-Signature", SIGNATURE, &SIGNED[1..], in_time).is_err());
    assert!(check(&ours, "X-GHL-Signature", "N/A", SIGNED, in_time).is_err(), "an unsigned test");
    assert_eq!(
        check(&json!({}), "X-GHL-Signature", SIGNATURE, SIGNED, in_time),
        Err(webhook::Refused::Mismatch),
        "the vendor's key"
    );
    let legacy = json!({ "legacy_webhook_signatures": true });
    assert!(matches!(
        check(&json!({}), "X-WH-Signature", SIGNATURE, SIGNED, in_time),
        Err(webhook::Refused::MissingHeader(_))
    ));
    assert_eq!(
        check(&legacy, "X-WH-Signature", SIGNATURE, SIGNED, in_time),
        Err(webhook::Refused::Mismatch),
        "the vendor's RSA key can be read"
    );
}

#[test]
fn a_message_leads_to_the_appointment_and_asks_nothing() {
    let (provider, played) = provider(script());
    for _ in 0..2 {
        let outcome = provider.handle(message(SIGNED)).unwrap();
        assert_eq!(outcome.events, [WebhookEvent::ChangedGoAndSync(Some("ap_1".to_owned()))]);
        assert_eq!(outcome.reply, None);
    }
    let foreign = String::from_utf8(SIGNED.to_vec()).unwrap().replace("loc_1", "loc_2");
    assert!(provider.handle(message(foreign.as_bytes())).unwrap().events.is_empty());
    played.finish();
}

#[test]
fn a_person_subscribes_in_the_apps_settings() {
    let (provider, _played) = provider(script());
    let request = SubscribeRequest {
        idempotency_key: "k".to_owned(),
        callback_url: "https://berth.example/".to_owned(),
    };
    assert!(
        matches!(provider.subscribe(request), Err(ProviderError::Unsupported(Some(url))) if url.starts_with("https://"))
    );
}
