//! A walk over slots, and over the rules that make them.

use serde_json::{Value, json};

use crate::{
    Api,
    walk::{Walk, at},
};

/// A listing and a member in Lisbon.
async fn place(api: &Api) -> (Value, Value) {
    let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "Europe/Lisbon" });
    let member = json!({ "name": "Ana", "time_zone": "Europe/Lisbon" });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    (listing, api.ok("POST", "/api/booking/team", member).await["id"].clone())
}

/// Made, made wrongly, read, replaced, removed, and read again.
async fn rule(walk: &mut Walk<'_>, path: &str, new: Value, wrong: Value, other: Value) {
    let made = walk.ask("POST", path, new).await;
    walk.ask("POST", path, wrong).await;
    let of = at(path, &made);
    walk.get(&of).await;
    walk.get(path).await;
    walk.ask("PUT", &of, other).await;
    walk.ask("DELETE", &of, Value::Null).await;
    walk.get(&of).await;
}

#[tokio::test]
async fn slots() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = api.world.offer(None, None).await.id;
    let path = format!(
        "/api/booking/availability?event_type={offered}&from=2026-11-24T00:00:00Z&to=2026-11-24T02:00:00Z"
    );
    walk.get(&format!("{path}&time_zone=Asia/Kathmandu")).await;
    walk.get(&format!("{path}&time_zone=UTC&explain=true")).await;
    walk.get(&path).await;
    let pattern = json!({ "weekdays": ["Mon"], "hours": { "start": "09:00", "end": "11:00" } });
    let look = json!({ "pattern": pattern, "time_zone": "Europe/Lisbon", "from": "2026-11-30T00:00:00Z",
        "to": "2026-12-14T00:00:00Z", "length_minutes": 60 });
    walk.ask("POST", "/api/booking/availability/generate", look).await;
    let slot = json!({ "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z" });
    let question =
        json!({ "kind": "slot_check", "slot": slot, "host": { "id": "ana", "free_ranges": [slot] } });
    walk.ask("POST", "/api/booking/availability/compute", question).await;
    walk.ask("POST", "/api/booking/availability/compute", json!({ "kind": "slots", "hosts": [] })).await;
    walk.end("availability", "slots");
}

#[tokio::test]
async fn overrides() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let (_, ana) = place(&api).await;
    let new =
        json!({ "member": ana, "date": "2026-12-01", "intervals": [{ "start": "14:00", "end": "16:00" }] });
    let wrong =
        json!({ "member": ana, "date": "2026-12-01", "intervals": [{ "start": "16:00", "end": "14:00" }] });
    let other = json!({ "member": ana, "date": "2026-12-02", "intervals": [] });
    rule(&mut walk, "/api/booking/overrides", new, wrong, other).await;
    walk.end("availability", "overrides");
}

#[tokio::test]
async fn holidays() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let (listing, ana) = place(&api).await;
    let path = "/api/booking/holidays";
    let new =
        json!({ "listing": listing, "name": "Restoration", "date": "2026-12-01", "last_date": "2026-12-02" });
    let wrong = json!({ "member": ana, "name": "X", "date": "2026-12-01" });
    let other = json!({ "listing": listing, "name": "Restoration", "date": "2026-12-01" });
    rule(&mut walk, path, new, wrong, other).await;
    walk.get(&format!("{path}/countries")).await;
    let year = json!({ "listing": listing, "country": "PT", "from_year": 2027, "to_year": 2027 });
    walk.ask("POST", &format!("{path}/import-country"), year).await;
    let event = |uid: &str, lines: &str| {
        format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n{lines}\r\nEND:VEVENT\r\n")
    };
    let day = event("conception@x", "DTSTART;VALUE=DATE:20271208\r\nSUMMARY:Conception");
    let party = event("party@x", "DTSTART:20270716T180000Z\r\nSUMMARY:Party");
    let file = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{day}{party}END:VCALENDAR\r\n");
    let import = format!("{path}/import?listing={}", listing.as_str().unwrap());
    walk.upload(&import, "text/calendar", file.into_bytes()).await;
    walk.upload(&import, "text/calendar", b"BEGIN:VCARD".to_vec()).await;
    walk.end("availability", "holidays");
}

#[tokio::test]
async fn out_of_office() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let (_, ana) = place(&api).await;
    let away = |start: &str, end: &str| json!({ "member": ana, "start": start, "end": end, "reason": "Sea" });
    let new = away("2026-12-03T10:00:00Z", "2026-12-04T11:00:00Z");
    let wrong = away("2026-12-03T10:00:00Z", "2026-12-03T10:00:00Z");
    let other = away("2026-12-03T10:00:00Z", "2026-12-05T11:00:00Z");
    let preview = "/api/booking/out-of-office/preview";
    let thought = json!({ "member_id": ana, "start": "2026-12-03T10:00:00Z", "end": "2026-12-04T11:00:00Z" });
    walk.ask("POST", preview, thought).await;
    walk.ask("POST", preview, json!({ "member_id": ana })).await;
    rule(&mut walk, "/api/booking/out-of-office", new, wrong, other).await;
    walk.end("availability", "out_of_office");
}

#[tokio::test]
async fn patterns() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let (listing, ana) = place(&api).await;
    let new = json!({ "member": ana, "dtstart_local": "2026-12-07T15:00:00", "rrule": "FREQ=MONTHLY;BYDAY=1MO",
        "duration_minutes": 120 });
    let wrong = json!({ "member": ana, "dtstart_local": "2026-12-07T15:00:00", "rrule": "FREQ=NEVER",
        "duration_minutes": 120 });
    let other = json!({ "listing": listing, "weekdays": ["Tue"], "hours": { "start": "10:00", "end": "12:00" },
        "valid_from": "2026-12-01", "valid_to": "2027-12-01" });
    rule(&mut walk, "/api/booking/patterns", new, wrong, other).await;
    walk.end("availability", "patterns");
}

#[tokio::test]
async fn travel() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let (_, ana) = place(&api).await;
    let away =
        |zone: &str, to: &str| json!({ "member": ana, "from": "2026-12-07", "to": to, "time_zone": zone });
    let (new, wrong) = (away("America/New_York", "2026-12-07"), away("Mars/Base", "2026-12-07"));
    let other = away("America/Chicago", "2026-12-08");
    rule(&mut walk, "/api/booking/travel", new, wrong, other).await;
    walk.end("availability", "travel");
}

#[tokio::test]
async fn restriction_schedules() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let schedule = |days: Value| {
        let hours = json!([{ "weekdays": days, "start": "00:00", "end": "12:00" }]);
        json!({ "name": "Mornings", "time_zone": "UTC", "weekly_hours": hours })
    };
    let (new, wrong) = (schedule(json!(["Mon", "Tue"])), schedule(json!([])));
    let mut other = schedule(json!(["Wed"]));
    other["overrides"] =
        json!([{ "date": "2026-12-01", "intervals": [{ "start": "09:00", "end": "10:00" }] }]);
    rule(&mut walk, "/api/booking/restriction-schedules", new, wrong, other).await;
    walk.end("availability", "restriction_schedules");
}

#[tokio::test]
async fn schedules() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let schedule = |days: Value| {
        let hours = json!([{ "weekdays": days, "start": "18:00", "end": "24:00" }]);
        json!({ "name": "Evenings", "weekly_hours": hours })
    };
    let (new, wrong) = (schedule(json!(["Mon", "Tue"])), schedule(json!([])));
    let mut other = schedule(json!(["Wed"]));
    other["time_zone"] = json!("Europe/Lisbon");
    other["overrides"] = json!([{ "date": "2026-12-01", "intervals": [] }]);
    let named = api.ok("POST", "/api/booking/schedules", new.clone()).await["id"].clone();
    rule(&mut walk, "/api/booking/schedules", new, wrong, other).await;
    walk.ask("PATCH", "/api/tenant", json!({ "settings": { "opening_schedule_id": named } })).await;
    walk.ask("DELETE", &at("/api/booking/schedules", &json!({ "id": named })), Value::Null).await;
    walk.end("availability", "schedules");
}

#[tokio::test]
async fn zones() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    walk.get("/api/booking/zones?q=New%20York&at=2026-11-24T09:00:00Z").await;
    walk.get("/api/booking/zones?limit=2&at=2026-11-24T09:00:00Z").await;
    walk.get("/api/booking/zones/convert?at=2026-11-24T09:00:00Z&from=Europe/Warsaw&to=America/New_York")
        .await;
    walk.get("/api/booking/zones/convert?local=2027-03-28T02:30&from=Europe/Warsaw&to=UTC").await;
    walk.get("/api/booking/zones/convert?local=2027-03-28&from=Europe/Warsaw&to=UTC").await;
    walk.end("availability", "zones");
}

#[tokio::test]
async fn busy() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let offered = api.world.offer(None, None).await;
    let (event_type, member) = (offered.id, offered.members[0]);
    api.ok("POST", "/api/booking", crate::booking(&json!(event_type), "2026-11-24T09:00:00Z")).await;
    let within = "from=2026-11-24T08:00:00Z&to=2026-11-24T12:00:00Z&time_zone=Europe/Warsaw";
    walk.get(&format!("/api/booking/busy?event_type_id={event_type}&{within}")).await;
    walk.get(&format!("/api/booking/busy?member_id={member}&{within}")).await;
    walk.get(&format!("/api/booking/busy?{within}")).await;
    walk.end("availability", "busy");
}
