//! A provider is known by its name and its aliases, wherever one is named; a connection by its id.

use berth_model::id::ConnectionId;
use berth_tests::with_manifest;
use serde_json::{Value, json};

use crate::{Answer, Api, booking, component, key, refused};

const KEY: &str = "reference_test_not_a_real_key";
const DESCRIBED: &str = "description = \"Keeps its bookings in Berth itself. For trying things out, and for tests of every way to fail.\"";

/// The reference provider under another id, and with other names for it.
fn reference_as(id: &str, aliases: &str) -> Vec<u8> {
    let bytes = with_manifest(component("reference"), "id = \"reference\"", &format!("id = \"{id}\""));
    with_manifest(bytes, DESCRIBED, &format!("aliases = [{aliases}]"))
}

async fn installed() -> Api {
    let api = Api::new().await;
    api.world.install(reference_as("reference", "\"desk\"")).await;
    api
}

async fn connect(api: &Api, provider: &str, more: Value) -> Value {
    let mut new = json!({ "provider": provider, "name": provider, "credentials": { "apiKey": KEY } });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    api.ok("POST", "/api/booking-providers", new).await
}

/// An hour of a day on which the provider is open from 9 to 17, or of the next.
fn at(hour: u32) -> String {
    let (day, hour) = if hour < 17 { (24, hour) } else { (25, hour - 8) };
    format!("2026-11-{day}T{hour:02}:00:00Z")
}

struct Desk {
    api: Api,
    event_type: Value,
    listing: String,
}

impl Desk {
    async fn new() -> Self {
        let api = installed().await;
        let event_type = api.world.offer(None, Some("consultation")).await;
        Self { api, event_type: json!(event_type.id), listing: event_type.listing.to_string() }
    }

    async fn book(&self, hour: u32, more: Value) -> Answer {
        let mut body = booking(&self.event_type, &at(hour));
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.api.send("POST", "/api/booking", Some(&self.api.key), &[], body).await
    }

    async fn booked(&self, hour: u32, more: Value) -> (Value, Value) {
        let made = self.book(hour, more.clone()).await;
        assert_eq!(made.status.as_u16(), 201, "{more}: {}", made.body);
        (made.body["provider"].clone(), made.body["connection_id"].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_names_a_provider_where_there_is_one_connection() {
    let desk = Desk::new().await;
    let none = desk.book(9, json!({ "provider": "reference" })).await;
    refused(&none, 422, "BERTH-E0553");
    assert_eq!(
        (&none.body["candidates"], &none.body["errors"][0]["field"]),
        (&json!([]), &json!("/provider"))
    );
    let one = connect(&desk.api, "reference", json!({})).await["id"].clone();
    let over = (json!("reference"), one.clone());
    assert_eq!(desk.booked(9, json!({ "provider": "reference" })).await, over);
    assert_eq!(desk.booked(10, json!({ "provider": "desk" })).await, over, "an alias");
    assert_eq!(desk.booked(11, json!({ "connection_id": one })).await, over);
    assert_eq!(desk.booked(12, json!({ "provider": one })).await, over, "as it was said before");
    assert_eq!(desk.booked(13, json!({ "provider": "desk", "connection_id": one })).await, over);
    assert_eq!(desk.booked(14, json!({})).await, (json!("builtin"), Value::Null), "the listing names none");
    assert_eq!(desk.booked(15, json!({ "provider": "builtin" })).await, (json!("builtin"), Value::Null));
    let listed = desk.api.ok("GET", "/api/booking?limit=1", Value::Null).await;
    assert_eq!(listed["items"][0]["provider"], "reference");
    for (provider, found) in [("reference", 5), ("desk", 5), ("builtin", 2)] {
        let listed = desk.api.ok("GET", &format!("/api/booking?provider={provider}"), Value::Null).await;
        assert_eq!(listed["items"].as_array().unwrap().len(), found, "over {provider}");
    }
    let status = desk.api.ok("GET", "/api/admin/desk/sync-status", Value::Null).await;
    assert_eq!(status["items"].as_array().unwrap().len(), 1, "{status}");

    let two = connect(&desk.api, "desk", json!({ "name": "Second" })).await;
    assert_eq!(two["provider"], "reference", "it is known by its own name");
    let several = desk.book(16, json!({ "provider": "reference" })).await;
    refused(&several, 422, "BERTH-E0552");
    let names: Vec<&Value> =
        several.body["candidates"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["reference", "Second"]);
    assert_eq!(several.body["candidates"][1]["id"], two["id"]);
    assert_eq!(desk.booked(16, json!({ "connection_id": two["id"] })).await.1, two["id"]);

    // The listing's own goes before the tenant's.
    let own = connect(&desk.api, "reference", json!({ "listing_id": desk.listing })).await["id"].clone();
    assert_eq!(desk.booked(17, json!({ "provider": "reference" })).await.1, own);
    let slots = format!(
        "/api/booking/availability?event_type={}&from=2026-11-25T00:00:00Z&to=2026-11-26T00:00:00Z&time_zone=UTC",
        desk.event_type.as_str().unwrap()
    );
    desk.api.ok("GET", &format!("{slots}&provider=desk"), Value::Null).await;
    let own = own.as_str().unwrap();
    desk.api.ok("GET", &format!("{slots}&connection_id={own}"), Value::Null).await;
    let both = format!("{slots}&provider=builtin&connection_id={own}");
    let both = desk.api.send("GET", &both, Some(&desk.api.key), &[], Value::Null).await;
    refused(&both, 400, "BERTH-E0401");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_booking_cannot_go_over_is_refused_by_its_field() {
    let desk = Desk::new().await;
    let one = connect(&desk.api, "reference", json!({})).await["id"].clone();
    for (more, field) in [
        (json!({ "provider": "No Name" }), "/provider"),
        (json!({ "provider": "" }), "/provider"),
        (json!({ "provider": "builtin", "connection_id": one }), "/provider"),
        (json!({ "provider": "other", "connection_id": one }), "/provider"),
        (json!({ "provider": "0193b3f0-0000-7000-8000-000000000000", "connection_id": one }), "/provider"),
    ] {
        let answer = desk.book(9, more.clone()).await;
        refused(&answer, 422, "BERTH-E0422");
        assert_eq!(answer.body["errors"][0]["field"], field, "{more}");
    }
    // Somebody else's is not there, by whichever name.
    let other = desk.api.other_tenant().await;
    let their_key = key(&desk.api.world, other, berth_engine::TENANT_SCOPES).await;
    let new = json!({ "provider": "reference", "credentials": { "api-key": KEY } });
    let theirs = desk.api.send("POST", "/api/booking-providers", Some(&their_key), &[], new).await.body;
    assert_eq!(theirs["name"], "Reference", "the provider's own name, if none is given");
    for more in [json!({ "connection_id": theirs["id"] }), json!({ "provider": theirs["id"] })] {
        refused(&desk.book(9, more).await, 404, "BERTH-E0404");
    }
    assert_eq!(
        desk.booked(9, json!({ "provider": "reference" })).await.1,
        one,
        "of two, one is the tenant's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_read_wherever_a_provider_is_named() {
    let api = installed().await;
    let id = connect(&api, "desk", json!({})).await["id"].clone();
    for what in ["sync-status", "health", "errors", "conflicts", "operations"] {
        api.ok("GET", &format!("/api/admin/desk/{what}"), Value::Null).await;
    }
    let found = api.ok("GET", "/api/booking-providers/available?provider=desk", Value::Null).await;
    assert_eq!(found["items"][0]["provider"], "reference");
    assert_eq!(found["items"][0]["aliases"], json!(["desk"]));
    // What is not signed is refused by its signature, not for its name.
    for (name, status, code) in [("desk", 401, "BERTH-E0520"), ("nobody", 404, "BERTH-E0404")] {
        let path = format!("/api/webhooks/{name}/{}", id.as_str().unwrap());
        refused(&api.send("POST", &path, None, &[], json!({})).await, status, code);
    }
    // It is known at the next start, too.
    let again = api.world.another_engine(api.world.runtime.clone());
    again.plugins.load_kept_plugins().await.unwrap();
    assert_eq!(again.connections.provider_named("desk".parse().unwrap()).as_str(), "reference");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_means_something_is_refused_at_installation() {
    let api = installed().await;
    let install = |bytes: Vec<u8>| api.world.engine.plugins.install_plugin("t", "t", bytes);
    for (id, aliases, told) in [
        ("available", "", "id: is a reserved name"),
        ("other", "\"builtin\"", "aliases[0]: is a reserved name"),
        ("desk", "", "id: desk is an alias of the installed plugin reference"),
        ("other", "\"reference\"", "aliases[0]: reference is the id of the installed plugin reference"),
        ("other", "\"front\", \"desk\"", "aliases[1]: desk is an alias of the installed plugin reference"),
    ] {
        let problem = install(reference_as(id, aliases)).await.unwrap_err();
        assert_eq!(problem.code.as_str(), "BERTH-E0510", "{problem}");
        assert!(
            problem.errors.iter().any(|e| e.message.contains(told)),
            "{id} {aliases}: {:?}",
            problem.errors
        );
    }
    // Another version may keep its names, and another plugin has others.
    let next =
        with_manifest(reference_as("reference", "\"desk\""), "version = \"0.1.0\"", "version = \"0.2.0\"");
    install(next).await.unwrap();
    install(reference_as("other", "\"front\"")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_came_in_at_once_are_not_both_activated() {
    let api = Api::new().await;
    let other =
        api.world.engine.plugins.install_plugin("t", "t", reference_as("other", "\"front\"")).await.unwrap();
    // As another replica installs it in the same moment.
    let mut taken = other.version.clone();
    taken.id = crate::fixtures::id(&api);
    taken.plugin = "front".parse().unwrap();
    taken.manifest.id = taken.plugin.clone();
    taken.manifest.aliases.clear();
    taken.digest.0 = "0".repeat(64);
    let audit = crate::fixtures::audit(&api);
    api.world.store.insert_plugin_version(taken, Vec::new(), audit).await.unwrap();
    let problem =
        api.world.engine.plugins.activate_plugin("t", "t", &other.version.digest).await.unwrap_err();
    assert_eq!(problem.code.as_str(), "BERTH-E0510", "{problem}");
    assert!(problem.detail.contains("front is the id of the installed plugin front"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_use_by_nobody_is_said_to_be_so() {
    let api = installed().await;
    let new = json!({ "provider": "nobody", "credentials": {} });
    let answer = api.send("POST", "/api/booking-providers", Some(&api.key), &[], new).await;
    refused(&answer, 422, "BERTH-E0503");
    let id: ConnectionId =
        serde_json::from_value(connect(&api, "reference", json!({})).await["id"].clone()).unwrap();
    let path = format!("/api/booking-providers/{id}");
    let other = api.send("PUT", &path, Some(&api.key), &[], json!({ "provider": "other" })).await;
    refused(&other, 422, "BERTH-E0422");
    assert_eq!(other.body["errors"][0]["field"], "/provider");
    api.ok("PUT", &path, json!({ "provider": "desk", "name": "Desk" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_name_a_plugin_by_its_alias() {
    let api = installed().await;
    let operator = crate::key_of(&api.world, None, &[berth_engine::OPERATOR_SCOPE]).await;
    let ask = async |method: &str, path: &str, body: Value| {
        api.send(method, &format!("/api/operator/plugins/{path}"), Some(&operator), &[], body).await
    };
    for name in ["reference", "desk"] {
        let shown = ask("GET", name, Value::Null).await;
        assert_eq!(shown.body["plugin"], "reference", "{name}: {}", shown.body);
        let version = shown.body["version"].as_str().unwrap();
        assert_eq!(ask("GET", &format!("{name}@{version}"), Value::Null).await.body["plugin"], "reference");
    }
    let granted = ask("PATCH", "desk/grants", json!({ "add": ["api.example.com"] })).await;
    assert_eq!(granted.status.as_u16(), 200, "{}", granted.body);
    let own = ask("GET", "reference/grants", Value::Null).await;
    assert!(own.text.contains("api.example.com"), "it is the plugin's own: {}", own.text);
    assert_eq!(ask("GET", "desk/grants", Value::Null).await.body, own.body);
    refused(&ask("GET", "nobody", Value::Null).await, 404, "BERTH-E0404");
}
