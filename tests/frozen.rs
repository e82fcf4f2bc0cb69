//! The component of each published contract version is loaded and serves, for ever.

use std::path::PathBuf;

use berth_model::{booking::BookingStatus, manifest::CONTRACTS};
use berth_tests::{TestClock, World};
use ring::digest::{SHA256, digest};
use serde_json::json;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("frozen")
}

#[test]
fn each_contract_has_its_component_as_it_was() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for contract in CONTRACTS {
        let bytes = std::fs::read(folder().join(contract).join("reference.wasm")).unwrap();
        let found: String =
            digest(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(readme.contains(&found), "the component of {contract} was changed: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_frozen_component_still_serves() {
    for contract in CONTRACTS {
        let world = World::new(3, TestClock::start(), &[]).await;
        let bytes = std::fs::read(folder().join(contract).join("reference.wasm")).unwrap();
        let plugin = world.install(bytes).await;
        let connection = world.connect(plugin.as_str(), json!({}), "frozen_not_a_real_key").await;
        let types = world.engine.external_event_types(&world.caller, connection, None).await.unwrap();
        assert!(types.items.iter().any(|e| e.id == "consultation"), "{contract}");
        let event_type = world.offer(Some(connection), Some("consultation")).await;
        let start = "2026-11-24T09:00:00Z".parse().unwrap();
        let request = berth_tests::request(event_type.id, start);
        let booking = world.engine.book(&world.caller, request).await.unwrap().booking;
        assert_eq!(booking.status, BookingStatus::Confirmed, "{contract}");
        assert!(booking.external_id.is_some(), "{contract}");
    }
}
