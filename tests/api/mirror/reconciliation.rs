//! Both sides compared, as a table.

use berth_model::{
    mirror::sync::{ItemKind, MirroredItem},
    time::Clock as _,
};
use serde_json::{Value, json};

use crate::{Api, fixtures::connect};

#[tokio::test]
async fn a_reconciliation_is_a_table_also_when_nothing_differs() {
    let api = Api::new().await;
    let connection = connect(&api, "acme").await;
    let path = "/api/admin/acme/reconciliation?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z";
    let csv = async || String::from_utf8(api.bytes(&format!("{path}&format=csv")).await).unwrap();
    let header = "kind,connection,booking,event_type,external_id,ours,theirs\n";
    assert_eq!(csv().await, header);
    // A price under an id that a spreadsheet would calculate.
    let evil = "=HYPERLINK(\"https://evil.example\")";
    let item = MirroredItem {
        external_id: evil.to_owned(),
        title: "t".to_owned(),
        payload: json!({ "price": { "minor_units": 5, "currency": "EUR" } }),
        last_synced_at: api.world.clock.now(),
    };
    let tenant = api.world.caller.tenant;
    api.world.store.put_mirrored_items(tenant, connection, ItemKind::EventType, vec![item], 0).await.unwrap();
    api.world.offer(None, Some(evil)).await;
    let table = csv().await;
    let line = table.strip_prefix(header).unwrap();
    assert!(line.starts_with("price,") && line.contains("\"'=HYPERLINK"), "{table}");
    let found = api.ok("GET", path, Value::Null).await;
    assert_eq!(found["items"][0]["totals"], json!([]));
}
