//! The same change of many bookings: what a preview says is what is done, once, and what changed meanwhile is left as it is.

use axum::http::StatusCode;
use berth_engine::{Caller, RescheduleBooking, TENANT_SCOPES};
use berth_model::{jobs::kind::JobQueue, time::Clock as _};
use berth_store::records::Claim;
use serde_json::{Value, json};

use crate::{
    Answer, Api, booking, key,
    shop::{Shop, of},
};

const PATH: &str = "/api/booking/bulk";

struct Salon {
    api: Api,
    event_type: Value,
    ana: Value,
    ben: Value,
}

fn hours() -> Value {
    json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": "09:00", "end": "12:00" }])
}

/// Ana and Ben in Lisbon, from 9 to 12, for an hour each.
async fn salon() -> Salon {
    let api = Api::new().await;
    let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "Europe/Lisbon" });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    let mut members = Vec::new();
    for name in ["Ana", "Ben"] {
        let member = json!({ "name": name, "time_zone": "Europe/Lisbon", "weekly_hours": hours() });
        members.push(api.ok("POST", "/api/booking/team", member).await["id"].clone());
    }
    let event_type = json!({ "listing_id": listing, "slug": "cut", "title": "Cut", "length_minutes": 60, "member_ids": members });
    let event_type = api.ok("POST", "/api/booking/event-types", event_type).await["id"].clone();
    let [ana, ben] = members.try_into().unwrap();
    Salon { api, event_type, ana, ben }
}

impl Salon {
    async fn sent(&self, body: Value) -> Answer {
        self.api.send("POST", PATH, Some(&self.api.key), &[], body).await
    }

    async fn book(&self, member: &Value, start: &str) -> Value {
        let mut new = booking(&self.event_type, start);
        new["member_id"] = member.clone();
        self.api.ok("POST", "/api/booking", new).await
    }

    async fn preview(&self, mut change: Value) -> Value {
        change["mode"] = json!("preview");
        let answer = self.sent(change).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body
    }

    /// Do what was previewed, to its end: the report.
    async fn apply(&self, change: &Value, digest: &Value) -> Value {
        let mut change = change.clone();
        (change["mode"], change["digest"]) = (json!("apply"), digest.clone());
        let answer = self.sent(change).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        let path = format!("{PATH}/{}", answer.body["id"].as_str().unwrap());
        assert_eq!(answer.headers["location"], path.as_str());
        while self.api.world.engine.jobs.run_due_jobs(10).await.unwrap() > 0 {}
        self.api.ok("GET", &path, Value::Null).await
    }

    async fn shown(&self, booking: &Value) -> Value {
        self.api.ok("GET", &of(booking), Value::Null).await
    }
}

fn expected(preview: &Value) -> Vec<&str> {
    preview["items"].as_array().unwrap().iter().map(|item| item["expected"].as_str().unwrap()).collect()
}

fn day(member: &Value) -> Value {
    json!({ "member_id": member, "date": "2026-12-01" })
}

fn with(mut change: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        change[name] = value.clone();
    }
    change
}

#[tokio::test]
async fn a_day_is_moved_by_what_was_previewed_and_once() {
    let salon = salon().await;
    let nine = salon.book(&salon.ana, "2026-12-01T09:00:00Z").await;
    let ten = salon.book(&salon.ana, "2026-12-01T10:00:00Z").await;
    salon.book(&salon.ben, "2026-12-01T09:00:00Z").await;
    salon.book(&salon.ana, "2026-12-02T10:00:00Z").await;
    let change = with(day(&salon.ana), json!({ "action": "move", "by_days": 1 }));
    let seen = salon.preview(change.clone()).await;
    // The latest goes first, and ten o'clock is taken there.
    assert_eq!((expected(&seen), &seen["count"]), (vec!["refused", "ok"], &json!(2)));
    assert_eq!(seen["items"][0]["booking_id"], ten["id"]);
    assert_eq!(seen["items"][0]["reason"], "taken");
    assert_eq!(seen["items"][1]["new_start"], "2026-12-02T09:00:00Z");
    assert_eq!(salon.shown(&nine).await["start"], "2026-12-01T09:00:00Z", "nothing is changed");

    let report = salon.apply(&change, &seen["digest"]).await;
    assert_eq!(
        (&report["state"], &report["done"], &report["refused"]),
        (&json!("done"), &json!(1), &json!(1))
    );
    assert_eq!(report["items"][0]["code"], "BERTH-E0410");
    assert_eq!(salon.shown(&nine).await["start"], "2026-12-02T09:00:00Z");
    assert_eq!(salon.shown(&ten).await["start"], "2026-12-01T10:00:00Z");
    // Once: the same order is the same operation, and its rows say so.
    let again = salon.apply(&change, &seen["digest"]).await;
    assert_eq!(again, report);
    let rows = salon.api.ok("GET", &format!("{}/timeline", of(&nine)), Value::Null).await;
    let name = format!("bulk:{}", report["id"].as_str().unwrap());
    let moved = rows["items"].as_array().unwrap().iter().filter(|row| row["request_id"] == name.as_str());
    assert_eq!(moved.count(), 1, "{rows}");
    let listed = salon.api.ok("GET", PATH, Value::Null).await;
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["id"]), (1, &report["id"]));
}

#[tokio::test]
async fn bookings_move_into_the_places_of_each_other() {
    let salon = salon().await;
    let mut ids = Vec::new();
    for start in ["2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z"] {
        ids.push(salon.book(&salon.ana, start).await["id"].clone());
    }
    let change = json!({ "action": "move", "booking_ids": ids, "by_minutes": 60 });
    let digest = salon.preview(change.clone()).await["digest"].clone();
    let report = salon.apply(&change, &digest).await;
    assert_eq!(report["done"], 2, "{report}");
    let back = json!({ "action": "move", "booking_ids": ids, "by_minutes": -60 });
    let digest = salon.preview(back.clone()).await["digest"].clone();
    assert_eq!(salon.apply(&back, &digest).await["done"], 2);
}

#[tokio::test]
async fn a_members_day_is_given_to_another_and_cancelled() {
    let salon = salon().await;
    let nine = salon.book(&salon.ana, "2026-12-01T09:00:00Z").await;
    let ten = salon.book(&salon.ana, "2026-12-01T10:00:00Z").await;
    salon.book(&salon.ben, "2026-12-01T10:00:00Z").await;
    let change = with(day(&salon.ana), json!({ "action": "reassign", "to_member_id": salon.ben }));
    let seen = salon.preview(change.clone()).await;
    assert_eq!(expected(&seen), ["ok", "refused"]);
    let report = salon.apply(&change, &seen["digest"]).await;
    assert_eq!((&report["done"], &report["refused"]), (&json!(1), &json!(1)));
    assert_eq!(salon.shown(&nine).await["member_id"], salon.ben);

    let change = with(day(&salon.ana), json!({ "action": "cancel", "reason": "Ana is ill" }));
    let seen = salon.preview(change.clone()).await;
    assert_eq!(expected(&seen), ["ok"]);
    assert_eq!(salon.apply(&change, &seen["digest"]).await["done"], 1);
    let cancelled = salon.shown(&ten).await;
    assert_eq!((&cancelled["status"], &cancelled["reason"]), (&json!("cancelled"), &json!("Ana is ill")));
}

#[tokio::test]
async fn what_changed_since_the_preview_is_looked_at_again() {
    let salon = salon().await;
    let nine = salon.book(&salon.ana, "2026-12-01T09:00:00Z").await;
    let change = with(day(&salon.ana), json!({ "action": "cancel" }));
    let order = |digest: &Value| with(change.clone(), json!({ "mode": "apply", "digest": digest }));
    let digest = salon.preview(change.clone()).await["digest"].clone();
    // Another booking, another action, and too late.
    salon.book(&salon.ana, "2026-12-01T11:00:00Z").await;
    let refused = salon.sent(order(&digest)).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("BERTH-E0561")));
    let digest = salon.preview(change.clone()).await["digest"].clone();
    let other = with(order(&digest), json!({ "reason": "other" }));
    assert_eq!(salon.sent(other).await.body["code"], "BERTH-E0561");
    salon.api.world.clock.advance_ms(3_601_000);
    assert_eq!(salon.sent(order(&digest)).await.body["code"], "BERTH-E0561");

    // What somebody changes before its turn stays as they want it.
    let digest = salon.preview(change.clone()).await["digest"].clone();
    let accepted = salon.sent(order(&digest)).await;
    assert_eq!((accepted.status, &accepted.body["waiting"]), (StatusCode::ACCEPTED, &json!(2)));
    salon.api.ok("PATCH", &of(&nine), json!({ "notes": "By the ramp." })).await;
    let report = salon.apply(&change, &digest).await;
    assert_eq!((&report["done"], &report["refused"]), (&json!(1), &json!(1)));
    assert_eq!(report["items"][0]["code"], "BERTH-E0415");
    assert_eq!(salon.shown(&nine).await["status"], "confirmed");
}

/// The process ended after a booking was changed and before that was noted: it is not changed again, and not called refused.
#[tokio::test]
async fn an_operation_goes_on_where_the_process_ended() {
    let salon = salon().await;
    salon.book(&salon.ana, "2026-12-01T09:00:00Z").await;
    let ten = salon.book(&salon.ana, "2026-12-01T10:00:00Z").await;
    let change = with(day(&salon.ana), json!({ "action": "move", "by_days": 1 }));
    let digest = salon.preview(change.clone()).await["digest"].clone();
    let accepted = salon.sent(with(change, json!({ "mode": "apply", "digest": digest }))).await.body;
    let id = accepted["id"].as_str().unwrap();
    // Somebody takes the job, changes the first of them and dies.
    let (world, name) = (&salon.api.world, format!("bulk:{id}"));
    let now = world.clock.now();
    let claim = Claim::any(JobQueue::Bookings, 9);
    let jobs = world.engine.store().claim_jobs(now, now.plus_seconds(60), claim).await.unwrap();
    assert_eq!(jobs.len(), 1);
    let caller = Caller { request_id: name.clone(), ..world.caller.clone() };
    let start = "2026-12-02T10:00:00Z".parse().unwrap();
    let reschedule = RescheduleBooking { start, expected_sequence: None, bound_by_cutoffs: false };
    let first = ten["id"].as_str().unwrap().parse().unwrap();
    world.engine.bookings.reschedule(&caller, first, reschedule).await.unwrap();
    assert_eq!(world.engine.jobs.run_due_jobs(10).await.unwrap(), 0, "it is somebody's");
    world.clock.advance_ms(61_000);
    while world.engine.jobs.run_due_jobs(10).await.unwrap() > 0 {}
    let report = salon.api.ok("GET", &format!("{PATH}/{id}"), Value::Null).await;
    assert_eq!(
        (&report["done"], &report["refused"], &report["state"]),
        (&json!(2), &json!(0), &json!("done"))
    );
    for item in report["items"].as_array().unwrap() {
        let path = format!("/api/booking/{}/timeline", item["booking_id"].as_str().unwrap());
        let rows = salon.api.ok("GET", &path, Value::Null).await;
        let rows = rows["items"].as_array().unwrap();
        assert_eq!(rows.iter().filter(|row| row["request_id"] == name.as_str()).count(), 1, "moved once");
    }
}

#[tokio::test]
async fn a_provider_is_told_of_each() {
    let shop = Shop::new(21).await;
    let (one, two) = (shop.book("2026-11-24T09:00:00Z").await, shop.book("2026-11-24T10:00:00Z").await);
    let ids = json!([one["id"], two["id"]]);
    // There is nobody else.
    let change = json!({ "mode": "preview", "action": "reassign", "booking_ids": ids });
    let seen = shop.sent("POST", PATH, change).await.body;
    assert_eq!(expected(&seen), ["refused", "refused"], "{seen}");
    assert_eq!(seen["items"][0]["reason"], "team", "{seen}");
    let mut change = json!({ "mode": "preview", "action": "cancel", "booking_ids": ids });
    let seen = shop.sent("POST", PATH, change.clone()).await.body;
    assert_eq!(expected(&seen), ["ok", "ok"]);
    (change["mode"], change["digest"]) = (json!("apply"), seen["digest"].clone());
    assert_eq!(shop.sent("POST", PATH, change).await.status, StatusCode::ACCEPTED);
    shop.work().await;
    for booking in [&one, &two] {
        let shown = shop.api.ok("GET", &of(booking), Value::Null).await;
        assert_eq!((&shown["status"], &shown["provider_task"]), (&json!("cancelled"), &Value::Null));
    }
}

#[tokio::test]
async fn rights_and_cut_offs_are_those_of_single_changes() {
    let salon = salon().await;
    let path = format!("/api/booking/event-types/{}", salon.event_type.as_str().unwrap());
    let policy = json!({ "cancel_cutoff_minutes": 43_200, "reschedule_cutoff_minutes": 43_200 });
    salon.api.ok("PATCH", &path, json!({ "policy": policy })).await;
    let nine = salon.book(&salon.ana, "2026-12-01T09:00:00Z").await;
    let tenant = salon.api.world.caller.tenant;
    let may = async |missing: &str| {
        let scopes: Vec<&str> = TENANT_SCOPES.iter().copied().filter(|s| *s != missing).collect();
        key(&salon.api.world, tenant, &scopes).await
    };
    let bound = may("bookings:override").await;
    for action in [json!({ "action": "cancel" }), json!({ "action": "move", "by_days": 1 })] {
        let change = with(with(day(&salon.ana), action), json!({ "mode": "preview" }));
        let seen = salon.api.send("POST", PATH, Some(&bound), &[], change.clone()).await;
        assert_eq!(
            (expected(&seen.body), &seen.body["items"][0]["code"]),
            (vec!["refused"], &json!("BERTH-E0418"))
        );
        // Its digest does not become another key's right.
        let order = with(change, json!({ "mode": "apply", "digest": seen.body["digest"] }));
        assert_eq!(salon.sent(order).await.body["code"], "BERTH-E0561");
    }
    let blind = may("bookings:write").await;
    let change = with(day(&salon.ana), json!({ "mode": "preview", "action": "cancel" }));
    let refused = salon.api.send("POST", PATH, Some(&blind), &[], change.clone()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let stranger = key(&salon.api.world, salon.api.other_tenant().await, TENANT_SCOPES).await;
    for change in [change, json!({ "mode": "preview", "action": "cancel", "booking_ids": [nine["id"]] })] {
        let refused = salon.api.send("POST", PATH, Some(&stranger), &[], change).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_field() {
    let salon = salon().await;
    let one = salon.book(&salon.ana, "2026-12-01T09:00:00Z").await["id"].clone();
    let nobody = json!("00000000-0000-4000-8000-000000000000");
    for (change, field) in [
        (json!({ "action": "cancel" }), "/booking_ids"),
        (json!({ "action": "cancel", "booking_ids": [] }), "/booking_ids"),
        (json!({ "action": "cancel", "booking_ids": vec![one.clone(); 201] }), "/booking_ids"),
        (json!({ "action": "cancel", "booking_ids": [one, one] }), "/booking_ids/1"),
        (json!({ "action": "cancel", "booking_ids": [one, nobody] }), "/booking_ids/1"),
        (json!({ "action": "cancel", "booking_ids": [one], "member_id": salon.ana }), "/booking_ids"),
        (json!({ "action": "cancel", "member_id": salon.ana }), "/booking_ids"),
        (json!({ "action": "cancel", "member_id": nobody, "date": "2026-12-01" }), "/member_id"),
        (json!({ "action": "cancel", "member_id": salon.ana, "date": "2026-12-01T00:00:00Z" }), "/date"),
        (json!({ "action": "cancel", "booking_ids": [one], "by_days": 1 }), "/by_days"),
        (json!({ "action": "move", "booking_ids": [one] }), "/by_days"),
        (json!({ "action": "move", "booking_ids": [one], "by_days": 367 }), "/by_days"),
        (json!({ "action": "move", "booking_ids": [one], "reason": "x", "by_days": 1 }), "/reason"),
        (json!({ "action": "cancel", "booking_ids": [one], "reason": "x".repeat(1_001) }), "/reason"),
        (json!({ "action": "cancel", "booking_ids": [one], "digest": "1.x" }), "/digest"),
        (json!({ "action": "cancel", "booking_ids": [one], "mode": "apply" }), "/digest"),
        (json!({ "action": "cancel", "booking_ids": [one], "mode": "apply", "digest": "soon" }), "/digest"),
    ] {
        let refused = salon.sent(with(json!({ "mode": "preview" }), change.clone())).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{change}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["field"], field, "{change}: {}", refused.body);
    }
    assert_eq!(salon.api.ok("GET", PATH, Value::Null).await["items"], json!([]));
}
