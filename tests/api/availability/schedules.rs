//! Named schedules, opening hours, lists of rules by whom and when, and what time off hits.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Answer, Api, booking, key};

const SCHEDULES: &str = "/api/booking/schedules";
const OVERRIDES: &str = "/api/booking/overrides";
const AWAY: &str = "/api/booking/out-of-office";

struct Shop {
    api: Api,
    listing: Value,
    ana: Value,
    event_type: Value,
}

fn week(start: &str, end: &str) -> Value {
    json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": start, "end": end }])
}

/// Ana, Monday to Friday from 9 to 12 in Lisbon, for an hour each; the listing is in Tokyo.
async fn shop() -> Shop {
    let api = Api::new().await;
    let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "Asia/Tokyo" });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    let ana = json!({ "name": "Ana", "time_zone": "Europe/Lisbon", "weekly_hours": week("09:00", "12:00") });
    let ana = api.ok("POST", "/api/booking/team", ana).await["id"].clone();
    let event_type = json!({ "listing_id": listing, "slug": "cut", "title": "Cut", "length_minutes": 60, "member_ids": [ana] });
    let event_type = api.ok("POST", "/api/booking/event-types", event_type).await["id"].clone();
    Shop { api, listing, ana, event_type }
}

impl Shop {
    async fn sent(&self, method: &str, path: &str, body: Value) -> Answer {
        self.api.send(method, path, Some(&self.api.key), &[], body).await
    }

    async fn schedule(&self, name: &str, zone: Value, hours: Value) -> Value {
        let new = json!({ "name": name, "time_zone": zone, "weekly_hours": hours });
        self.api.ok("POST", SCHEDULES, new).await["id"].clone()
    }

    async fn slots(&self, zone: &str) -> Value {
        let path = format!(
            "/api/booking/availability?event_type_id={}&from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z&time_zone={zone}&explain=true",
            self.event_type.as_str().unwrap()
        );
        self.api.ok("GET", &path, Value::Null).await
    }

    /// Starts of 1 December, a Tuesday, `HH:MM` in UTC.
    async fn day(&self) -> Vec<String> {
        let answer = self.slots("UTC").await;
        let slots = answer["days"].as_array().unwrap().iter().flat_map(|d| d["slots"].as_array().unwrap());
        slots.map(|s| s["start"].as_str().unwrap()[11..16].to_owned()).collect()
    }

    /// Why a start of that day is not offered, and which schedule says so.
    async fn why(&self, start: &str) -> (Value, Value) {
        let answer = self.slots("UTC").await;
        let start = format!("2026-12-01T{start}:00Z");
        let found = answer["rejected"].as_array().unwrap().iter().find(|r| r["start"] == start).unwrap();
        (found["reason"].clone(), found["schedule_id"].clone())
    }

    async fn keep(&self, schedule: &Value) {
        let path = format!("/api/booking/team/{}", self.ana.as_str().unwrap());
        self.api.ok("PATCH", &path, json!({ "schedule_id": schedule })).await;
    }

    async fn bound(&self, schedule: &Value) {
        let path = format!("/api/booking/event-types/{}", self.event_type.as_str().unwrap());
        self.api.ok("PATCH", &path, json!({ "policy": { "schedule_id": schedule } })).await;
    }

    async fn open(&self, schedule: &Value) {
        self.api.ok("PATCH", "/api/tenant", json!({ "settings": { "opening_schedule_id": schedule } })).await;
    }
}

#[tokio::test]
async fn a_member_keeps_a_schedule_an_event_type_and_opening_hours_cut_it() {
    let shop = shop().await;
    assert_eq!(shop.day().await, ["09:00", "10:00", "11:00"]);
    let late = shop.schedule("Late", Value::Null, week("10:00", "14:00")).await;
    shop.keep(&late).await;
    assert_eq!(shop.day().await, ["10:00", "11:00", "12:00", "13:00"], "in place of the weekly hours");

    let noon = shop.schedule("Until one", json!("Europe/Lisbon"), week("00:00", "13:00")).await;
    shop.bound(&noon).await;
    assert_eq!(shop.day().await, ["10:00", "11:00", "12:00"]);
    assert_eq!(shop.why("13:00").await, (json!("schedule"), noon.clone()));

    // The listing's clock is nine hours ahead: from 20:00 is from 11:00.
    let doors = shop.schedule("Doors", Value::Null, week("20:00", "24:00")).await;
    shop.open(&doors).await;
    assert_eq!(shop.day().await, ["11:00", "12:00"]);
    assert_eq!(shop.why("10:00").await, (json!("opening_hours"), doors.clone()));
    // Nobody is booked outside, whatever day of their own they have.
    let own = json!({ "member_id": shop.ana, "date": "2026-12-01", "intervals": [{ "start": "06:00", "end": "12:00" }] });
    shop.api.ok("POST", OVERRIDES, own).await;
    assert_eq!(shop.day().await, ["11:00"]);
    let refused = shop.sent("POST", "/api/booking", booking(&shop.event_type, "2026-12-01T09:00:00Z")).await;
    assert_eq!((refused.status, &refused.body["reason"]), (StatusCode::CONFLICT, &json!("opening_hours")));
    assert_eq!(refused.body["schedule_id"], doors);
    assert!(refused.body["detail"].as_str().unwrap().ends_with("outside the opening hours (Doors)."));

    // A change of a schedule counts at once, and so does its end.
    let path = format!("{SCHEDULES}/{}", doors.as_str().unwrap());
    let whole = json!({ "name": "Doors", "weekly_hours": week("00:00", "24:00") });
    shop.api.ok("PUT", &path, whole).await;
    assert_eq!(shop.day().await, ["06:00", "07:00", "08:00", "09:00", "10:00", "11:00"]);
    shop.open(&Value::Null).await;
    shop.bound(&Value::Null).await;
    shop.keep(&Value::Null).await;
    let answer = shop.slots("UTC").await;
    assert!(answer["rejected"].as_array().unwrap().iter().all(|r| r.get("schedule_id").is_none()));
    assert_eq!(shop.sent("DELETE", &path, Value::Null).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_schedule_that_is_named_stays() {
    let shop = shop().await;
    let schedule = shop.schedule("Late", Value::Null, week("10:00", "14:00")).await;
    let path = format!("{SCHEDULES}/{}", schedule.as_str().unwrap());
    shop.keep(&schedule).await;
    shop.bound(&schedule).await;
    shop.open(&schedule).await;
    shop.api.ok("PATCH", "/api/tenant", json!({ "settings": { "default_schedule_id": schedule } })).await;
    let refused = shop.sent("DELETE", &path, Value::Null).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("BERTH-E0560")));
    let users: Vec<&str> = refused.body["used_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["kind"].as_str().unwrap())
        .collect();
    assert_eq!(users, ["default", "event_type", "member", "opening_hours"]);
    assert_eq!(refused.body["used_by"][2]["id"], shop.ana);

    // Who is added without hours keeps the default; with hours, or another schedule, not.
    let ben = json!({ "name": "Ben", "time_zone": "UTC" });
    assert_eq!(shop.api.ok("POST", "/api/booking/team", ben).await["schedule_id"], schedule);
    let cleo = json!({ "name": "Cleo", "time_zone": "UTC", "weekly_hours": week("09:00", "10:00") });
    assert_eq!(shop.api.ok("POST", "/api/booking/team", cleo).await["schedule_id"], Value::Null);
}

#[tokio::test]
async fn only_schedules_of_ones_own_are_named() {
    let shop = shop().await;
    let other = shop.api.other_tenant().await;
    let stranger = key(&shop.api.world, other, TENANT_SCOPES).await;
    let foreign = json!({ "name": "Theirs", "weekly_hours": week("09:00", "12:00") });
    let foreign = shop.api.send("POST", SCHEDULES, Some(&stranger), &[], foreign).await.body["id"].clone();
    let holiday = json!({ "name": "Doors", "time_zone": "UTC", "weekly_hours": week("00:00", "12:00") });
    let restriction = shop.api.ok("POST", "/api/booking/restriction-schedules", holiday).await["id"].clone();
    let (ana, event_type) = (shop.ana.as_str().unwrap(), shop.event_type.as_str().unwrap());
    // Another tenant's, another kind, and none at all.
    for id in [foreign, restriction, json!("00000000-0000-4000-8000-000000000000")] {
        for (path, body, field) in [
            (format!("/api/booking/team/{ana}"), json!({ "schedule_id": id }), "/schedule_id"),
            (
                format!("/api/booking/event-types/{event_type}"),
                json!({ "policy": { "schedule_id": id } }),
                "/policy/schedule_id",
            ),
            (
                "/api/tenant".to_owned(),
                json!({ "settings": { "opening_schedule_id": id } }),
                "/settings/opening_schedule_id",
            ),
            (
                "/api/tenant".to_owned(),
                json!({ "settings": { "default_schedule_id": id } }),
                "/settings/default_schedule_id",
            ),
        ] {
            let refused = shop.sent("PATCH", &path, body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", refused.body);
            assert_eq!(refused.body["errors"][0]["field"], field, "{path}: {}", refused.body);
        }
    }
    assert_eq!(shop.day().await, ["09:00", "10:00", "11:00"], "nothing was changed");
    for (body, status, field) in [
        (json!({ "name": "" }), 422, "/name"),
        (json!({ "name": "x", "time_zone": "Mars/Base" }), 422, "/time_zone"),
        (json!({ "name": "x", "member_id": ana }), 422, ""),
        (json!({ "name": "x", "overrides": [{ "date": "1900-01-01" }] }), 422, "/overrides/0/date"),
        (
            json!({ "name": "x", "weekly_hours": vec![week("09:00", "10:00")[0].clone(); 1_001] }),
            422,
            "/weekly_hours",
        ),
    ] {
        let refused = shop.sent("POST", SCHEDULES, body).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.body);
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    assert_eq!(shop.api.ok("GET", SCHEDULES, Value::Null).await["items"], json!([]));
}

#[tokio::test]
async fn rules_are_listed_by_whom_and_by_when() {
    let shop = shop().await;
    let ben = json!({ "name": "Ben", "time_zone": "UTC" });
    let ben = shop.api.ok("POST", "/api/booking/team", ben).await["id"].clone();
    for (member, day) in [(&shop.ana, "2026-12-01"), (&shop.ana, "2026-12-03"), (&ben, "2026-12-02")] {
        shop.api.ok("POST", OVERRIDES, json!({ "member_id": member, "date": day })).await;
    }
    shop.api.ok("POST", OVERRIDES, json!({ "listing_id": shop.listing, "date": "2026-12-04" })).await;
    shop.api.ok("POST", OVERRIDES, json!({ "event_type_id": shop.event_type, "date": "2026-12-05" })).await;
    let dates = async |query: &str| -> Vec<String> {
        let found = shop.api.ok("GET", &format!("{OVERRIDES}?{query}"), Value::Null).await;
        let dates = found["items"].as_array().unwrap().iter();
        dates.map(|item| item["date"].as_str().unwrap()[8..].to_owned()).collect()
    };
    let of = |name: &str, id: &Value| format!("{name}={}", id.as_str().unwrap());
    assert_eq!(dates(&of("member_id", &shop.ana)).await, ["01", "03"]);
    assert_eq!(dates(&of("listing_id", &shop.listing)).await, ["04"]);
    assert_eq!(dates(&of("eventTypeId", &shop.event_type)).await, ["05"]);
    assert_eq!(dates("from=2026-12-02&to=2026-12-04&time_zone=Asia/Tokyo").await, ["03", "02", "04"]);
    assert_eq!(dates("from=2026-12-05&time_zone=Pacific/Kiritimati").await, ["05"], "no day more");
    assert_eq!(dates("to=2026-12-01T23:59:59Z").await, ["01"]);
    let both = format!("{}&from=2026-12-02&time_zone=UTC", of("member_id", &shop.ana));
    assert_eq!(dates(&both).await, ["03"]);

    // Time off lies between instants, whose days are those of the zone.
    let away =
        json!({ "member_id": shop.ana, "start": "2026-12-01T22:00:00Z", "end": "2026-12-01T23:00:00Z" });
    shop.api.ok("POST", AWAY, away).await;
    let count = async |query: &str| {
        let found = shop.api.ok("GET", &format!("{AWAY}?{query}"), Value::Null).await;
        found["items"].as_array().unwrap().len()
    };
    assert_eq!(count("from=2026-12-02&to=2026-12-02&time_zone=Asia/Tokyo").await, 1);
    assert_eq!(count("from=2026-12-02&to=2026-12-02&time_zone=UTC").await, 0);
    assert_eq!(count("from=2026-12-01T23:00:00Z").await, 0, "its end is not in it");

    for (query, named) in [
        ("member=x", "member"),
        ("what=1", "what"),
        ("from=2026-12-02", "time_zone"),
        ("from=2026-12-02&to=2026-12-01&time_zone=UTC", "to"),
        ("from=soon", ""),
        ("limit=201", ""),
    ] {
        let refused = shop.sent("GET", &format!("{OVERRIDES}?{query}"), Value::Null).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(refused.text.contains(named), "{query}: {}", refused.body);
    }
}

#[tokio::test]
async fn time_off_names_the_bookings_that_it_hits() {
    let shop = shop().await;
    for start in ["2026-12-01T09:00:00Z", "2026-12-01T11:00:00Z", "2026-12-02T09:00:00Z"] {
        shop.api.ok("POST", "/api/booking", booking(&shop.event_type, start)).await;
    }
    let gone = shop.api.ok("POST", "/api/booking", booking(&shop.event_type, "2026-12-01T10:00:00Z")).await;
    let cancel = format!("/api/booking/{}/cancel", gone["id"].as_str().unwrap());
    shop.api.ok("POST", &cancel, json!({})).await;
    let away =
        json!({ "member_id": shop.ana, "start": "2026-12-01T09:30:00Z", "end": "2026-12-02T09:00:00Z" });
    let seen = shop.api.ok("POST", &format!("{AWAY}/preview"), away.clone()).await;
    let starts: Vec<&str> =
        seen["items"].as_array().unwrap().iter().map(|item| item["start"].as_str().unwrap()).collect();
    assert_eq!((&seen["count"], starts), (&json!(2), vec!["2026-12-01T09:00:00Z", "2026-12-01T11:00:00Z"]));
    assert_eq!(shop.api.ok("GET", AWAY, Value::Null).await["items"], json!([]), "nothing is stored");
    let made = shop.api.ok("POST", AWAY, away.clone()).await;
    assert_eq!(made["bookings"], seen);
    let path = format!("{AWAY}/{}", made["id"].as_str().unwrap());
    assert!(shop.api.ok("GET", &path, Value::Null).await.get("bookings").is_none());

    // Without the right to read customers addresses are masked; without that to read bookings none are named.
    let tenant = shop.api.world.caller.tenant;
    let may = async |missing: &[&str]| {
        let scopes: Vec<&str> = TENANT_SCOPES.iter().copied().filter(|s| !missing.contains(s)).collect();
        key(&shop.api.world, tenant, &scopes).await
    };
    let masked = may(&["customers:read"]).await;
    let preview = format!("{AWAY}/preview");
    let seen = shop.api.send("POST", &preview, Some(&masked), &[], away.clone()).await;
    assert!(seen.body["items"][0]["attendee"]["email"].as_str().unwrap().contains("***"), "{}", seen.body);
    let blind = may(&["bookings:read", "customers:read"]).await;
    assert_eq!(
        shop.api.send("POST", &preview, Some(&blind), &[], away.clone()).await.status,
        StatusCode::FORBIDDEN
    );
    let made = shop.api.send("PUT", &path, Some(&blind), &[], away.clone()).await;
    assert_eq!((made.status, made.body.get("bookings")), (StatusCode::OK, None));
    // A member of another tenant is none, and no time is no time off.
    let stranger = key(&shop.api.world, shop.api.other_tenant().await, TENANT_SCOPES).await;
    let foreign = shop.api.send("POST", &preview, Some(&stranger), &[], away).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let never =
        json!({ "member_id": shop.ana, "start": "2026-12-01T09:30:00Z", "end": "2026-12-01T09:30:00Z" });
    let refused = shop.sent("POST", &preview, never).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/end"))
    );
}

#[tokio::test]
async fn slots_carry_the_offset_that_was_asked_for_since_there_are_offsets() {
    let shop = shop().await;
    let path = format!(
        "/api/booking/availability?event_type_id={}&from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z&time_zone=Asia/Kathmandu&explain=true",
        shop.event_type.as_str().unwrap()
    );
    let now = shop.api.ok("GET", &path, Value::Null).await;
    assert_eq!(now["days"][0]["slots"][0]["start"], "2026-12-01T14:45:00+05:45");
    assert_eq!(now["days"][0]["slots"][0]["end"], "2026-12-01T15:45:00+05:45");
    let first =
        shop.api.send("GET", &path, Some(&shop.api.key), &[("berth-version", "2026-11-20")], Value::Null);
    let first = first.await.body;
    assert_eq!(first["days"][0]["date"], "2026-12-01");
    assert_eq!(first["days"][0]["slots"][0]["start"], "2026-12-01T09:00:00Z");
    // What is shown can be sent back as it is.
    let booked = booking(&shop.event_type, "2026-12-01T14:45:00+05:45");
    assert_eq!(shop.api.ok("POST", "/api/booking", booked).await["start"], "2026-12-01T09:00:00Z");
}
