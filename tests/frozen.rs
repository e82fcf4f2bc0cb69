//! The component of each published contract version is loaded and serves, for ever.

use std::path::PathBuf;

use berth_model::{bookings::booking::BookingStatus, plugins::manifest::CONTRACTS};
use berth_tests::{TestClock, World};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

/// Versions of the contract, what is set for each component, and when it is first open in the morning, then.
fn frozen() -> [(&'static str, Value, &'static str); 4] {
    [
        ("0.1.0", json!({}), "2026-11-24T09:00:00Z"),
        ("0.1.1", json!({}), "2026-11-24T09:00:00Z"),
        // It asks the host for the clocks there.
        ("0.1.2", json!({ "time_zone": "Europe/Warsaw" }), "2026-11-24T08:00:00Z"),
        ("0.1.3", json!({}), "2026-11-24T09:00:00Z"),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("frozen")
}

#[test]
fn each_contract_has_its_component_as_it_was() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for (contract, ..) in frozen() {
        let bytes = std::fs::read(folder().join(contract).join("reference.wasm")).unwrap();
        let found: String =
            digest(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(readme.contains(&found), "the component of {contract} was changed: {found}");
        let name = format!("berth:provider/connection@{contract}");
        assert!(
            bytes.windows(name.len()).any(|part| part == name.as_bytes()),
            "{contract} is another contract's"
        );
    }
}

#[test]
fn no_contract_goes_without_one() {
    let types = std::fs::read_to_string(folder().join("../../wit/types.wit")).unwrap();
    let newest = types.lines().next().and_then(|line| line.strip_prefix("package berth:provider@"));
    let newest = newest.and_then(|line| line.strip_suffix(';')).unwrap();
    assert!(frozen().iter().any(|(contract, ..)| *contract == newest), "freeze a component of {newest}");
    for served in CONTRACTS {
        assert!(
            frozen().iter().any(|(contract, ..)| contract.starts_with(&format!("{served}."))),
            "{served}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_frozen_component_still_serves() {
    for (contract, settings, start) in frozen() {
        let world = World::new(3, TestClock::start(), &[]).await;
        let bytes = std::fs::read(folder().join(contract).join("reference.wasm")).unwrap();
        let plugin = world.install(bytes).await;
        let connection = world.connect(plugin.as_str(), settings, "frozen_not_a_real_key").await;
        let types = world.engine.catalog.external_event_types(&world.caller, connection, None).await.unwrap();
        assert!(types.items.iter().any(|e| e.id == "consultation"), "{contract}");
        let event_type = world.offer(Some(connection), Some("consultation")).await;
        let request = berth_tests::request(event_type.id, start.parse().unwrap());
        let booking = world.engine.bookings.book(&world.caller, request).await.unwrap().booking;
        assert_eq!(booking.status, BookingStatus::Confirmed, "{contract}");
        assert!(booking.external_id.is_some(), "{contract}");
    }
}
