//! A provider whose bookings lie beyond the years that are known: nothing of it becomes a wrong time here, nothing stops, and a person
//! is told. The component is the reference provider; what it keeps is changed behind its back.

use berth_model::{id::ConnectionId, time::Clock as _};
use ring::hmac;
use serde_json::{Value, json};

use crate::{Api, booking, component};

/// Start and end as a provider may have them, wholly outside of 1970 to 2199.
const OUTSIDE: [[&str; 2]; 4] = [
    ["3000-05-05T10:00:00Z", "3000-05-05T10:30:00Z"],
    ["9999-12-31T23:00:00Z", "9999-12-31T23:59:59Z"],
    ["1950-05-05T10:00:00Z", "1950-05-05T10:30:00Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:30:00Z"],
];
const STARTS: &str = "2026-11-24T10:00:00Z";
/// Entries in which the component keeps bookings.
const ENTRIES: u32 = 32;

fn micros(at: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(at).unwrap().timestamp_micros()
}

pub(crate) struct Scene {
    pub(crate) api: Api,
    pub(crate) connection: ConnectionId,
    pub(crate) event_type: Value,
}

impl Scene {
    pub(crate) async fn new(auto_resolve: bool) -> Self {
        let api = Api::new().await;
        api.world.install(component("reference")).await;
        let connection = api.world.connect("reference", json!({}), "reference_test_not_a_real_key").await;
        let event_type = json!(api.world.offer(Some(connection), Some("consultation")).await.id);
        let scene = Self { api, connection, event_type };
        let rules = json!({ "mode": "bidirectional", "auto_resolve": auto_resolve });
        scene.api.ok("PUT", &format!("/api/booking-providers/{connection}/sync/rules"), rules).await;
        scene.work().await;
        scene
    }

    pub(crate) async fn work(&self) {
        // Ends: what is put off is due in a later time than the clock's.
        while self.api.world.engine.jobs.run_due_jobs(10).await.unwrap() > 0 {}
    }

    pub(crate) async fn sync(&self) {
        let path = format!("/api/booking-providers/{}/sync", self.connection);
        self.api.ok("POST", &path, json!({ "full": true })).await;
        self.work().await;
        let state = self.api.ok("GET", &path, Value::Null).await;
        assert_eq!((&state["error"], &state["failures"]), (&Value::Null, &json!(0)), "{state}");
        assert_eq!(state["phase"], "idle", "{state}");
    }

    pub(crate) async fn book(&self) -> Value {
        let made = self.api.ok("POST", "/api/booking", booking(&self.event_type, STARTS)).await;
        assert_eq!(made["status"], "confirmed", "{made}");
        made
    }

    pub(crate) async fn booking(&self, made: &Value) -> Value {
        self.api.ok("GET", &format!("/api/booking/{}", made["id"].as_str().unwrap()), Value::Null).await
    }

    /// Change what the component keeps.
    pub(crate) async fn kept(&self, change: impl Fn(&mut Vec<Value>)) {
        let (store, tenant) = (&self.api.world.store, self.api.world.caller.tenant);
        for entry in 0..ENTRIES {
            let key = format!("bookings/{entry:02}");
            let kept = store.state_get(tenant, self.connection, &key).await.unwrap();
            let mut kept: Vec<Value> =
                kept.map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default();
            change(&mut kept);
            let bytes = serde_json::to_vec(&kept).unwrap();
            store.state_set(tenant, self.connection, &key, bytes).await.unwrap();
        }
    }

    /// Bookings that somebody made there, each where the component looks for it by its id.
    pub(crate) async fn made_there(&self, bookings: &[Value]) {
        let (store, tenant) = (&self.api.world.store, self.api.world.caller.tenant);
        for (sequence, booking) in (1_000_u64..).zip(bookings) {
            let id = booking["id"].as_str().unwrap();
            let hash = id
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
            let key = format!("bookings/{:02}", hash % u64::from(ENTRIES));
            let kept = store.state_get(tenant, self.connection, &key).await.unwrap();
            let mut kept: Vec<Value> =
                kept.map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default();
            kept.retain(|stored| stored["booking"]["id"] != id);
            kept.push(json!({ "sequence": sequence, "booking": booking }));
            let bytes = serde_json::to_vec(&kept).unwrap();
            store.state_set(tenant, self.connection, &key, bytes).await.unwrap();
        }
    }

    /// A booking there as the component keeps it, of half an hour and for one person.
    pub(crate) fn theirs(&self, id: &str, start: &str, person: [&str; 2]) -> Value {
        let attendee = json!({ "name": person[0], "email": person[1], "phone": null, "time_zone": "Europe/Warsaw", "language": null });
        let raw = json!({ "id": id, "form": { "mail": person[1] } }).to_string();
        json!({ "id": id, "reference": null, "status": "Confirmed",
            "when": { "start": micros(start), "end": micros(start) + 1_800_000_000 }, "event_type": "consultation",
            "title": format!("With {}", person[0]), "attendees": [attendee], "location": "Room 2", "cancellation_reason": null,
            "rescheduled_from": null, "rescheduled_to": null, "updated_at": null, "raw": raw })
    }

    /// Move every booking of the provider.
    pub(crate) async fn moved_there(&self, [start, end]: [&str; 2]) {
        let later = self.api.world.clock.now().micros();
        self.kept(|kept| {
            for stored in kept {
                stored["booking"]["when"] = json!({ "start": micros(start), "end": micros(end) });
                stored["booking"]["updated_at"] = json!(later);
                stored["sequence"] = json!(stored["sequence"].as_u64().unwrap() + 100);
            }
        })
        .await;
    }

    /// Starts of the bookings that take place there.
    pub(crate) async fn starts_there(&self) -> Vec<i64> {
        let starts = std::sync::Mutex::new(Vec::new());
        self.kept(|kept| {
            let active = kept.iter().filter(|stored| stored["booking"]["status"] == "Confirmed");
            let start = |stored: &Value| stored["booking"]["when"]["start"].as_i64().unwrap();
            starts.lock().unwrap().extend(active.map(start));
        })
        .await;
        starts.into_inner().unwrap()
    }

    /// A message of the provider, signed: its headers and its body.
    pub(crate) async fn signed(&self, booking: &Value) -> ([(&'static str, String); 2], String) {
        let now = self.api.world.clock.now();
        let tenant = self.api.world.caller.tenant;
        let credentials =
            self.api.world.store.webhook_credentials(tenant, self.connection, now).await.unwrap();
        let (at, body) =
            (now.micros() / 1_000_000, json!({ "event": "updated", "booking": booking }).to_string());
        let secret = credentials[0]["webhook-secret"].expose().as_bytes();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), format!("{at}.{body}").as_bytes());
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        ([("x-reference-timestamp", at.to_string()), ("x-reference-signature", tag)], body)
    }

    /// It comes, and what follows from it.
    async fn message(&self, booking: Value) {
        let (headers, body) = self.signed(&booking).await;
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let path = format!("/api/webhooks/reference/{}", self.connection);
        let answer = self.api.send_body("POST", &path, None, &headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.work().await;
    }

    pub(crate) async fn conflicts(&self) -> Vec<Value> {
        let page = self.api.ok("GET", "/api/admin/reference/conflicts", Value::Null).await;
        page["items"].as_array().unwrap().clone()
    }

    /// The booking is where it was, and a conflict names it.
    pub(crate) async fn stands(&self, made: &Value, what: &str) -> Value {
        let now = self.booking(made).await;
        for part in ["start", "end", "status"] {
            assert_eq!(now[part], made[part], "{what}: {now}");
        }
        let conflicts = self.conflicts().await;
        assert_eq!(conflicts.len(), 1, "{what}: {conflicts:?}");
        assert_eq!(conflicts[0]["booking_id"], made["id"], "{what}");
        conflicts[0].clone()
    }

    pub(crate) async fn resolve(&self, conflict: &Value, end: &str) -> (u16, Value) {
        let path = format!("/api/admin/reference/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
        let answer =
            self.api.send("POST", &path, Some(&self.api.key), &[], json!({ "resolution": end })).await;
        (answer.status.as_u16(), answer.body)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_was_moved_out_of_time_stays_here_and_is_a_conflict() {
    for times in OUTSIDE {
        let scene = Scene::new(false).await;
        let made = scene.book().await;
        scene.moved_there(times).await;
        scene.sync().await;
        let conflict = scene.stands(&made, times[0]).await;
        // Once is enough, however often it is read.
        scene.sync().await;
        scene.stands(&made, times[0]).await;
        let (status, refused) = scene.resolve(&conflict, "theirs").await;
        assert_eq!((status, &refused["code"]), (409, &json!("BERTH-E0410")), "{refused}");
        scene.stands(&made, times[0]).await;
        let (status, resolved) = scene.resolve(&conflict, "ours").await;
        assert_eq!(status, 200, "{resolved}");
        assert_eq!(scene.starts_there().await, [micros(STARTS)], "the provider is brought back");
        assert!(scene.conflicts().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_booking_out_of_time_changes_nothing_and_says_so() {
    for [start, end] in OUTSIDE {
        let scene = Scene::new(false).await;
        let made = scene.book().await;
        let news = json!({ "id": made["external_id"], "reference": made["id"], "status": "confirmed",
            "start": start, "end": end, "event_type": "consultation" });
        scene.message(news).await;
        scene.stands(&made, start).await;
        let path = format!("/api/booking-providers/{}/webhooks", scene.connection);
        let log = scene.api.ok("GET", &path, Value::Null).await;
        let entry = &log["items"][0];
        let detail = entry["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("out of the years that are known"), "{entry}");
        // Somebody else's: it takes nobody's time, and nothing stops.
        let theirs = json!({ "id": "theirs", "status": "confirmed", "start": start, "end": end, "event_type": "consultation" });
        scene.message(theirs).await;
        let log = scene.api.ok("GET", &path, Value::Null).await;
        assert_eq!(log["items"][0]["status"], "processed", "{log}");
        scene.stands(&made, start).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_change_of_a_booking_that_is_out_of_time_there_is_carried_out() {
    for times in OUTSIDE {
        let scene = Scene::new(true).await;
        let made = scene.book().await;
        let path = format!("/api/booking/{}", made["id"].as_str().unwrap());
        scene.moved_there(times).await;
        let later = "2026-11-24T12:00:00Z";
        let moved = scene.api.ok("POST", &format!("{path}/reschedule"), json!({ "start": later })).await;
        assert_eq!((&moved["start"], &moved["status"]), (&json!(later), &json!("confirmed")), "{moved}");
        assert!(scene.starts_there().await.contains(&micros(later)), "{moved}");
        scene.moved_there(times).await;
        let cancelled = scene.api.ok("POST", &format!("{path}/cancel"), json!({})).await;
        assert_eq!((&cancelled["start"], &cancelled["status"]), (&json!(later), &json!("cancelled")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_times_are_cut_to_the_known_years() {
    let scene = Scene::new(false).await;
    let starts = async || {
        let path = format!(
            "/api/booking/availability?event_type={}&from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z&time_zone=UTC",
            scene.event_type.as_str().unwrap()
        );
        scene.api.world.clock.advance_ms(3_600_000);
        let answer = scene.api.ok("GET", &path, Value::Null).await;
        assert_eq!(answer["degraded"], json!([]), "{answer}");
        answer["days"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["slots"].as_array().unwrap().len())
            .sum::<usize>()
    };
    let open = starts().await;
    assert!(open > 0);
    let theirs = |start: &str, end: &str| {
        json!([{ "sequence": 1, "booking": { "id": "theirs", "reference": null, "status": "Confirmed",
            "when": { "start": micros(start), "end": micros(end) }, "event_type": "consultation", "title": null, "attendees": [],
            "location": null, "cancellation_reason": null, "rescheduled_from": null, "rescheduled_to": null, "updated_at": null, "raw": "{}" } }])
    };
    let put = async |start: &str, end: &str| {
        let (store, tenant) = (&scene.api.world.store, scene.api.world.caller.tenant);
        let bytes = serde_json::to_vec(&theirs(start, end)).unwrap();
        store.state_set(tenant, scene.connection, "bookings/00", bytes).await.unwrap();
        scene.sync().await;
    };
    for [start, end] in OUTSIDE {
        put(start, end).await;
        assert_eq!(starts().await, open, "{start} takes nothing");
    }
    // For ever, from ever, and both: what lies inside is taken.
    for (start, end, left) in [
        ("2026-11-24T00:00:00Z", "9999-12-31T23:59:59Z", 0),
        ("0001-01-01T00:00:00Z", "2026-11-25T00:00:00Z", 0),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 0),
        ("2026-11-25T00:00:00Z", "9999-12-31T23:59:59Z", open),
        ("0001-01-01T00:00:00Z", "2026-11-24T00:00:00Z", open),
    ] {
        put(start, end).await;
        assert_eq!(starts().await, left, "{start} to {end}");
    }
}
