//! Requests as people write them to systems of this kind: camelCase, bare prices, numbered weekdays, a listing beside its event type. All in the
//! order in which somebody sets up, on both databases; then what is wrong with each.

use std::sync::Arc;

use berth_model::time::Clock as _;
use berth_simulators::gohighlevel;
use berth_store::{Store, VaultKeys};
use berth_tests::{Seeded, TestClock, World, process::Database};
use serde_json::{Value, json};

use crate::{Answer, Api, component, refused};

const TYPES: &str = "/api/booking/event-types";
const PATTERNS: &str = "/api/booking/patterns";
const TEAM: &str = "/api/booking/team";
const GENERATE: &str = "/api/booking/availability/generate";

async fn post(api: &Api, path: &str, text: &str) -> Answer {
    api.send_text("POST", path, &api.key, text).await
}

async fn made(api: &Api, path: &str, body: Value) -> Value {
    let answer = post(api, path, &body.to_string()).await;
    assert_eq!(answer.status.as_u16(), 201, "{path} {body}: {}", answer.body);
    answer.body
}

/// A value is in an answer as it stands here, whatever else is there.
fn has(answer: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&answer[name], value, "{name} of {answer}");
    }
}

async fn listing(api: &Api, slug: &str, currency: Option<&str>) -> Value {
    made(
        api,
        "/api/listings",
        json!({ "slug": slug, "name": slug, "timeZone": "Europe/Lisbon", "currency": currency }),
    )
    .await
}

/// Everything once, as somebody would who sets up and books.
async fn all_of_it(api: &Api, simulator: &gohighlevel::Simulator, token: &str) {
    let studio = listing(api, "harbour", Some("EUR")).await;
    has(&studio, &json!({ "title": "harbour", "currency": "EUR", "time_zone": "Europe/Lisbon" }));
    let listing = &studio["id"];

    let connection = made(
        api,
        "/api/booking-providers",
        json!({ "provider": "gohighlevel", "listing_id": listing,
        "credentials": { "apiKey": token, "locationId": "loc_1" },
        "settings": { "syncDirection": "export", "base_url": simulator.url() } }),
    )
    .await;
    has(
        &connection,
        &json!({ "provider": "gohighlevel", "listing_id": listing, "credentials": ["api-key"] }),
    );
    assert_eq!(connection["settings"]["location_id"], "loc_1");
    let of = format!("/api/booking-providers/{}", connection["id"].as_str().unwrap());
    assert_eq!(api.ok("PUT", &of, json!({ "name": "Front desk" })).await["name"], "Front desk");
    assert!(api.ok("GET", &format!("{of}/health"), Value::Null).await.is_object());

    let massage = made(api, TYPES, json!({ "listingId": listing, "name": "Hot stones", "slug": "hot-stones", "durationMinutes": 45,
        "price": 72.50, "customQuestions": [
            { "id": "pressure", "type": "radio", "label": "How firm?", "required": true, "options": ["soft", "firm"] },
            { "id": "remarks", "type": "textarea", "label": "Anything else?", "options": [] },
        ] })).await;
    has(
        &massage,
        &json!({ "listing_id": listing, "title": "Hot stones", "slug": "hot-stones", "length_minutes": 45, "member_ids": [] }),
    );
    has(
        &massage["policy"],
        &json!({
            "price": { "minor_units": 7_250, "currency": "EUR" },
            "questions": [
                { "key": "pressure", "label": "How firm?", "type": "select", "required": true, "options": ["soft", "firm"] },
                { "key": "remarks", "label": "Anything else?", "type": "long_text", "required": false },
            ],
        }),
    );
    let event_type = &massage["id"];

    let pattern = made(
        api,
        PATTERNS,
        json!({ "eventTypeId": event_type, "listingId": listing, "pattern": "weekly", "daysOfWeek": [0, 2, 4],
        "startTime": "10:00", "endTime": "13:00", "startDate": "2026-12-01", "endDate": "9999-12-31" }),
    )
    .await;
    has(
        &pattern,
        &json!({ "event_type_id": event_type, "listing_id": null, "member_id": null, "weekdays": ["Sun", "Tue", "Thu"],
        "hours": { "start": "10:00", "end": "13:00" }, "valid_from": "2026-12-01", "valid_to": null }),
    );

    // Its event type says how long; days are the listing's, to their end.
    let answer = post(
        api,
        GENERATE,
        &json!({ "patternId": pattern["id"], "from": "2026-11-30", "to": "2026-12-01" }).to_string(),
    )
    .await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let starts =
        ["2026-12-01T10:00:00Z", "2026-12-01T10:45:00Z", "2026-12-01T11:30:00Z", "2026-12-01T12:15:00Z"];
    assert_eq!(
        answer.body,
        json!({ "count": 4, "slots": starts, "length_minutes": 45, "time_zone": "Europe/Lisbon" })
    );
    let instants = json!({ "patternId": pattern["id"], "from": "2026-12-01T10:30:00+00:00", "to": "2026-12-01T12:20:00Z", "slotIntervalMinutes": 15 });
    assert_eq!(api.ok("POST", GENERATE, instants).await["slots"][0], "2026-12-01T10:30:00Z");

    let body = json!({ "listingId": listing, "userId": "staff-31", "role": "admin", "eventTypeIds": [event_type],
        "roundRobinEnabled": true, "roundRobinWeight": 3 });
    let member = made(api, TEAM, body.clone()).await;
    has(
        &member,
        &json!({ "name": "staff-31", "user_id": "staff-31", "role": "admin", "time_zone": "Europe/Lisbon", "event_type_ids": [event_type] }),
    );
    has(&member["turns"], &json!({ "round_robin": true, "weight": 3, "priority": 2, "calibration": 0 }));
    assert_eq!(
        member["weekly_hours"][0],
        json!({ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": "09:00", "end": "17:00" })
    );
    // The same again changes nothing; more is added.
    let again = post(api, TEAM, &body.to_string()).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &member), "the same again");
    let of_type = format!("{TYPES}/{}", event_type.as_str().unwrap());
    let shown = api.ok("GET", &of_type, Value::Null).await;
    assert_eq!((&shown["member_ids"], &shown["revision"]), (&json!([member["id"]]), &json!(2)));

    let slots = format!(
        "/api/booking/availability?eventTypeId={}&from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z&timeZone=UTC",
        event_type.as_str().unwrap()
    );
    let offered = api.ok("GET", &slots, Value::Null).await;
    let offered: Vec<&Value> =
        offered["days"][0]["slots"].as_array().unwrap().iter().map(|slot| &slot["start"]).collect();
    assert_eq!(offered, starts, "hours of the office, cut by the pattern");
    let booked = made(
        api,
        "/api/booking",
        json!({ "eventTypeId": event_type, "start": starts[1], "provider": "builtin",
        "attendee": { "name": "Ilse Brandt", "email": "ilse@example.com", "timeZone": "Europe/Berlin" },
        "answers": { "pressure": "firm" } }),
    )
    .await;
    has(
        &booked,
        &json!({ "status": "confirmed", "provider": "builtin", "connection_id": null, "member_id": member["id"],
        "answers": { "pressure": "firm" } }),
    );
    let busy = format!(
        "/api/booking/busy?memberId={}&from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z&timeZone=UTC",
        member["id"].as_str().unwrap()
    );
    let busy = api.ok("GET", &busy, Value::Null).await;
    assert_eq!(busy["busy"].as_array().unwrap().len(), 1, "{busy}");
    assert!(busy["date_ranges"].is_array(), "{busy}");

    synchronised(api, &connection, member).await;
    let gone = api.send("DELETE", &of, Some(&api.key), &[], Value::Null).await;
    assert!(gone.status.is_success(), "{}", gone.body);
}

/// What is said of connections to other systems.
async fn synchronised(api: &Api, connection: &Value, member: Value) {
    let rules = format!("/api/booking-providers/{}/sync/rules", connection["id"].as_str().unwrap());
    let rule = json!({ "id": "quiet", "name": "Quiet hours", "sourceSystem": "both", "priority": 7,
        "conditions": { "bufferTimes": { "before": 20, "after": 25 }, "maxAdvanceBooking": 45 },
        "actions": { "syncAvailability": true, "autoResolveConflicts": true, "notifyAdmin": false }, "active": true });
    let answer = api.ok("PUT", &rules, json!({ "rules": [rule] })).await;
    assert_eq!(
        answer["rules"]["rules"],
        json!([{ "id": "quiet", "name": "Quiet hours", "source_system": "both", "priority": 7,
        "conditions": { "buffer_times": { "before": 20, "after": 25 }, "max_advance_booking": 45 },
        "actions": { "sync_availability": true, "auto_resolve_conflicts": true, "notify_admin": false }, "active": true }])
    );
    let calendar = json!({ "userId": member["user_id"], "provider": "reference", "calendarId": "consultation",
        "accessToken": "reference_test_not_a_real_key", "syncDirection": "bidirectional" });
    let calendar = made(api, "/api/booking/calendar/integrations", calendar).await;
    has(
        &calendar,
        &json!({ "member_id": member["id"], "reads": true, "writes": true, "sync_direction": "bidirectional" }),
    );
    for what in [
        "sync-status",
        "conflicts",
        "operations",
        "health",
        "errors",
        "reconciliation?from=2026-12-01T00:00:00Z&to=2026-12-08T00:00:00Z",
    ] {
        let answer = api.ok("GET", &format!("/api/admin/gohighlevel/{what}"), Value::Null).await;
        assert!(answer.is_object(), "{what}: {answer}");
        if what == "health" {
            assert!(
                ["api", "sync_engine", "database", "connections"]
                    .iter()
                    .all(|part| answer.get(*part).is_some()),
                "{answer}"
            );
        }
    }
    api.ok("POST", "/api/admin/gohighlevel/full-sync", json!({})).await;
    let nobody = api.send("POST", "/api/webhooks/reference", None, &[], json!({})).await;
    refused(&nobody, 404, "BERTH-E0404");
    assert!(nobody.body["hint"].is_string());
}

async fn ready(world: World) -> Api {
    world.install(component("gohighlevel")).await;
    world.install(component("reference")).await;
    Api::over(world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_write_is_taken_on_both_databases() {
    let clock = TestClock::start();
    let ticks = clock.clone();
    let config = gohighlevel::Config {
        clock: Arc::new(move || ticks.now().micros()),
        ..gohighlevel::Config::default()
    };
    let token = config.token.clone();
    let simulator = gohighlevel::Simulator::start(config).await.unwrap();
    let url = simulator.url();
    let hosts = [url.trim_start_matches("http://")];
    all_of_it(&ready(World::new(15, clock.clone(), &hosts).await).await, &simulator, &token).await;
    let Some(database) = Database::new("as_written").await else { return };
    let random = Arc::new(Seeded::new(16));
    let keys = VaultKeys::new(vec![("test".to_owned(), [7; 32])]).unwrap();
    let store = Store::open(&database.url, keys, random.clone()).await.unwrap();
    store.migrate().await.unwrap();
    let api = ready(World::over_reaching(store, clock, random, &hosts).await).await;
    all_of_it(&api, &simulator, &token).await;
    drop(api);
    database.drop_it().await;
}

fn event_type(listing: &Value, slug: &str, price: &str) -> String {
    format!(r#"{{"listingId":{listing},"name":"X","slug":"{slug}","durationMinutes":30,"price":{price}}}"#)
}

fn field(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["errors"][0]["field"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_bare_price_is_of_the_currencys_large_units() {
    let api = Api::new().await;
    let (euro, yen) = (listing(&api, "euro", Some("EUR")).await, listing(&api, "yen", Some("JPY")).await);
    let (dinar, none) = (listing(&api, "dinar", Some("KWD")).await, listing(&api, "none", None).await);
    for (n, (listing, sent, minor_units, currency)) in [
        (&euro, "50.00", 5_000, "EUR"),
        (&euro, "50", 5_000, "EUR"),
        (&euro, "0.29", 29, "EUR"),
        (&euro, "0", 0, "EUR"),
        (&euro, "\"19.90\"", 1_990, "EUR"),
        (&yen, "5000", 5_000, "JPY"),
        (&yen, "5000.0", 5_000, "JPY"),
        (&dinar, "1.234", 1_234, "KWD"),
        (&none, r#"{"minorUnits":5000,"currency":"JPY"}"#, 5_000, "JPY"),
        (&euro, r#"{"minor_units":1,"currency":"KWD"}"#, 1, "KWD"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = post(&api, TYPES, &event_type(&listing["id"], &format!("p{n}"), sent)).await;
        assert_eq!(
            answer.body["policy"]["price"],
            json!({ "minor_units": minor_units, "currency": currency }),
            "{sent}: {}",
            answer.body
        );
    }
    for (listing, sent, status, at) in [
        (&euro, "49.999", 422, "/price"),
        (&euro, "49.9999999999999999999999", 422, "/price"),
        (&yen, "0.5", 422, "/price"),
        (&dinar, "1.2345", 422, "/price"),
        (&euro, "-1", 422, "/price"),
        (&euro, "1e2", 422, "/price"),
        (&euro, "1E400", 400, "/price"),
        (&euro, "99999999999999999999", 422, "/price"),
        (&euro, "NaN", 400, "/price"),
        (&euro, "\"free\"", 422, "/price"),
        (&euro, "true", 422, "/price"),
        (&euro, "[50]", 422, "/price"),
        (&euro, r#"{"minor_units":1.5,"currency":"EUR"}"#, 400, "/price/minor_units"),
        (&euro, r#"{"minor_units":-1,"currency":"EUR"}"#, 422, "/price/minor_units"),
        (&euro, r#"{"minor_units":1,"currency":"XAU"}"#, 422, "/price/currency"),
        (&euro, r#"50,"policy":{"price":50}"#, 400, "/price"),
        (&euro, r#"null,"policy":{"price":5.001}"#, 400, "/price"),
        (&none, "50", 422, "/price"),
        (&json!({ "id": "0193b3f0-0000-7000-8000-000000000000" }), "50", 422, "/listing_id"),
    ] {
        let answer = post(&api, TYPES, &event_type(&listing["id"], "wrong", sent)).await;
        assert_eq!(field(&answer), (status, at), "{sent}: {}", answer.body);
    }
    let hint = post(&api, TYPES, &event_type(&none["id"], "wrong", "50")).await.body["hint"].clone();
    assert!(hint.as_str().unwrap().contains("/api/tenant"), "{hint}");
    // The tenant's, where the listing has none; a change is read in the same way, in the policy as well.
    api.ok("PATCH", "/api/tenant", json!({ "settings": { "currency": "CHF" } })).await;
    let made = post(&api, TYPES, &event_type(&none["id"], "wrong", "50")).await.body;
    assert_eq!(made["policy"]["price"], json!({ "minor_units": 5_000, "currency": "CHF" }));
    let path = format!("{TYPES}/{}", made["id"].as_str().unwrap());
    for (sent, price) in [
        (r#"{"price":7.5}"#, json!({ "minor_units": 750, "currency": "CHF" })),
        (r#"{"policy":{"price":8.05}}"#, json!({ "minor_units": 805, "currency": "CHF" })),
        (r#"{"title":"Y"}"#, json!({ "minor_units": 805, "currency": "CHF" })),
        (r#"{"price":null}"#, Value::Null),
    ] {
        let answer = api.send_text("PATCH", &path, &api.key, sent).await;
        assert_eq!(answer.body["policy"]["price"], price, "{sent}: {}", answer.body);
    }
    let answer = api.send_text("PATCH", &path, &api.key, r#"{"policy":{"price":8.055}}"#).await;
    assert_eq!(field(&answer), (422, "/policy/price"), "{}", answer.body);
    for (body, at) in
        [(json!({ "currency": "XAU" }), "/currency"), (json!({ "currency": "euro" }), "/currency")]
    {
        let path = format!("/api/listings/{}", euro["id"].as_str().unwrap());
        assert_eq!(field(&api.send("PATCH", &path, Some(&api.key), &[], body.clone()).await), (422, at));
    }
}

#[tokio::test]
async fn questions_are_taken_by_the_names_that_forms_have() {
    let api = Api::new().await;
    let listing = listing(&api, "forms", None).await["id"].clone();
    let with = |slug: &str, questions: Value| json!({ "listing_id": listing, "title": "X", "slug": slug, "length_minutes": 30, "customQuestions": questions });
    for (n, (sent, kind)) in [
        ("string", "text"),
        ("tel", "phone"),
        ("email", "email"),
        ("boolean", "checkbox"),
        ("number", "number"),
        ("date", "date"),
        ("multiline", "long_text"),
        ("checkbox", "checkbox"),
    ]
    .into_iter()
    .enumerate()
    {
        let question = json!({ "id": "q", "type": sent, "label": "Q", "options": [] });
        let made = made(&api, TYPES, with(&format!("k{n}"), json!([question]))).await;
        assert_eq!(made["policy"]["questions"][0]["type"], kind, "{sent}");
    }
    for (n, (sent, kind)) in
        [("dropdown", "select"), ("checkboxes", "multi_select"), ("checkbox", "multi_select")]
            .into_iter()
            .enumerate()
    {
        let question = json!({ "id": "q", "type": sent, "label": "Q", "options": ["a", "b"] });
        let made = made(&api, TYPES, with(&format!("o{n}"), json!([question]))).await;
        has(&made["policy"]["questions"][0], &json!({ "type": kind, "options": ["a", "b"] }));
    }
    for (questions, status, at) in [
        (json!([{ "id": "q", "type": "colour", "label": "Q" }]), 400, "/questions/0/type"),
        (json!([{ "id": "q", "key": "q", "type": "text", "label": "Q" }]), 400, "/questions/0"),
        (json!([{ "type": "text", "label": "Q" }]), 400, "/questions/0/key"),
        (json!([{ "id": "What?", "type": "text", "label": "Q" }]), 422, "/questions/0/key"),
        (json!([{ "id": "q", "type": "select", "label": "Q" }]), 400, "/questions/0"),
        (json!([{ "id": "q", "type": "email", "label": "Q", "options": ["a"] }]), 400, "/questions/0"),
        (json!({ "q": "text" }), 400, "/questions"),
    ] {
        let answer = post(&api, TYPES, &with("wrong", questions.clone()).to_string()).await;
        assert_eq!(field(&answer), (status, at), "{questions}: {}", answer.body);
    }
    let colour =
        post(&api, TYPES, &with("wrong", json!([{ "id": "q", "type": "colour", "label": "Q" }])).to_string())
            .await;
    assert!(colour.text.contains("multi_select"), "the list: {}", colour.text);
    let mut both = with("both", json!([]));
    both["questions"] = json!([]);
    assert_eq!(post(&api, TYPES, &both.to_string()).await.status.as_u16(), 400);
    let mut both = with("both", json!([]));
    both["name"] = json!("Y");
    assert_eq!(post(&api, TYPES, &both.to_string()).await.status.as_u16(), 400);
}

#[tokio::test]
async fn what_is_wrong_with_a_pattern_has_its_field() {
    let api = Api::new().await;
    let (one, two) =
        (listing(&api, "one", None).await["id"].clone(), listing(&api, "two", None).await["id"].clone());
    let talk =
        made(&api, TYPES, json!({ "listing_id": one, "title": "X", "slug": "talk", "length_minutes": 30 }))
            .await["id"]
            .clone();
    let member = made(&api, TEAM, json!({ "name": "Ana", "timeZone": "UTC" })).await["id"].clone();
    let body = |changes: Value| {
        let mut body = json!({ "eventTypeId": talk, "pattern": "weekly", "daysOfWeek": [1], "startTime": "09:00", "endTime": "17:00" });
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                body.as_object_mut().unwrap().remove(name);
            } else {
                body[name] = value.clone();
            }
        }
        body
    };
    for (changes, status, at) in [
        (json!({ "pattern": "yearly" }), 422, "/pattern"),
        (json!({ "daysOfWeek": [1, 8] }), 422, "/days_of_week/1"),
        (json!({ "daysOfWeek": "1" }), 400, "/days_of_week"),
        (json!({ "startTime": "9 am" }), 422, "/start_time"),
        (json!({ "endDate": "9999-12-30" }), 422, "/end_date"),
        (json!({ "endDate": "9999-12-31T00:00:00Z" }), 400, "/end_date"),
        (json!({ "startDate": "9999-12-31" }), 422, "/start_date"),
        (
            json!({ "pattern": "custom", "daysOfWeek": null, "startDate": "2027-01-01", "rrule": "FREQ=SOMETIMES" }),
            422,
            "/rrule",
        ),
        (json!({ "listingId": two }), 422, "/listing_id"),
        (json!({ "memberId": member }), 422, "/member_id"),
        (json!({ "eventTypeId": null, "memberId": member, "listingId": one }), 422, "/member_id"),
        (json!({ "eventTypeId": null }), 422, "/member_id"),
        (json!({ "eventTypeId": "x" }), 422, "/event_type_id"),
        (json!({ "eventTypeId": one, "listingId": one }), 422, "/event_type_id"),
        (json!({ "everyWeeks": 2 }), 400, "/everyWeeks"),
    ] {
        let answer = post(&api, PATTERNS, &body(changes.clone()).to_string()).await;
        assert_eq!(field(&answer), (status, at), "{changes}: {}", answer.body);
    }
    let kinds = post(&api, PATTERNS, &body(json!({ "pattern": "yearly" })).to_string()).await;
    assert!(kinds.text.contains("daily, weekly, monthly, custom"), "{}", kinds.text);
    assert_eq!(api.ok("GET", PATTERNS, Value::Null).await["items"], json!([]), "nothing half-done");

    // Each kind offers what it says.
    let mut ids = Vec::new();
    for (changes, days) in [
        (json!({ "pattern": "daily", "daysOfWeek": null }), vec!["2027-01-14", "2027-01-15", "2027-01-16"]),
        (json!({ "pattern": "monthly", "daysOfWeek": null, "startDate": "2026-12-15" }), vec!["2027-01-15"]),
        (
            json!({ "pattern": "monthly", "daysOfWeek": null, "startDate": "2026-12-15", "endDate": "2027-01-14" }),
            vec![],
        ),
        (
            json!({ "pattern": "monthly", "daysOfWeek": null, "startDate": "2026-12-15", "endDate": "2027-01-15" }),
            vec!["2027-01-15"],
        ),
        (
            json!({ "pattern": "custom", "daysOfWeek": null, "startDate": "2027-01-02", "rrule": "FREQ=DAILY;INTERVAL=2" }),
            vec!["2027-01-14", "2027-01-16"],
        ),
        (json!({ "daysOfWeek": [7, 6], "endDate": "9999-12-31" }), vec!["2027-01-16"]),
    ] {
        let pattern = made(&api, PATTERNS, body(changes.clone())).await;
        let ask = json!({ "patternId": pattern["id"], "from": "2027-01-14", "to": "2027-01-16", "lengthMinutes": 480 });
        let slots = api.ok("POST", GENERATE, ask).await["slots"].clone();
        let days: Vec<String> = days.into_iter().map(|day| format!("{day}T09:00:00Z")).collect();
        assert_eq!(slots, json!(days), "{changes}");
        ids.push(pattern["id"].clone());
    }
    let holiday =
        json!({ "listingId": one, "name": "Closed", "date": "2027-02-01", "lastDate": "9999-12-31" });
    assert_eq!(made(&api, "/api/booking/holidays", holiday).await["last_date"], "2199-12-31");
    let travel =
        json!({ "memberId": member, "from": "2027-02-01", "to": "9999-12-31", "timeZone": "Asia/Tokyo" });
    assert_eq!(made(&api, "/api/booking/travel", travel).await["to"], Value::Null);
    let away = json!({ "memberId": member, "start": "2027-02-01T00:00:00Z", "end": "9999-12-31T00:00:00Z" });
    assert_eq!(post(&api, "/api/booking/out-of-office", &away.to_string()).await.status.as_u16(), 400);

    let of_member =
        made(&api, PATTERNS, body(json!({ "eventTypeId": null, "memberId": member }))).await["id"].clone();
    let other = api.other_tenant().await;
    let theirs = crate::key(&api.world, other, berth_engine::TENANT_SCOPES).await;
    for (changes, status, at) in [
        (json!({ "patternId": of_member }), 422, "/length_minutes"),
        (json!({ "patternId": talk }), 422, "/pattern_id"),
        (json!({ "patternId": null }), 400, "/pattern_id"),
        (
            json!({ "pattern": { "daysOfWeek": [9], "startTime": "09:00", "endTime": "10:00" } , "patternId": null, "timeZone": "UTC", "lengthMinutes": 30 }),
            422,
            "/pattern/days_of_week/0",
        ),
        (json!({ "pattern": {} }), 422, "/pattern_id"),
        (json!({ "to": "2027-01-01" }), 422, "/to"),
        (json!({ "to": "2027-05-14" }), 422, "/to"),
        (json!({ "to": "9999-12-31" }), 400, "/to"),
        (json!({ "from": "yesterday" }), 400, "/from"),
        (json!({ "lengthMinutes": 0 }), 422, "/length_minutes"),
    ] {
        let mut ask = json!({ "patternId": ids[0], "from": "2027-01-14", "to": "2027-01-16" });
        ask.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let answer = post(&api, GENERATE, &ask.to_string()).await;
        assert_eq!(field(&answer), (status, at), "{changes}: {}", answer.body);
    }
    let ask = json!({ "patternId": ids[0], "from": "2027-01-14", "to": "2027-01-16" });
    assert_eq!(
        field(&api.send("POST", GENERATE, Some(&theirs), &[], ask).await),
        (422, "/pattern_id"),
        "another tenant's"
    );
}

#[tokio::test]
async fn somebody_joins_whole_or_not_at_all() {
    let api = Api::new().await;
    let (one, two) =
        (listing(&api, "one", None).await["id"].clone(), listing(&api, "two", None).await["id"].clone());
    let mut types = Vec::new();
    for (slug, listing) in [("a", &one), ("b", &one), ("c", &two)] {
        let new = json!({ "listing_id": listing, "title": slug, "slug": format!("type-{slug}"), "length_minutes": 30 });
        types.push(made(&api, TYPES, new).await["id"].clone());
    }
    let members = async |id: &Value| {
        api.ok("GET", &format!("{TYPES}/{}", id.as_str().unwrap()), Value::Null).await["member_ids"].clone()
    };
    let nobody = "0193b3f0-0000-7000-8000-000000000000";
    for (body, status, at) in [
        (json!({ "listingId": nobody, "userId": "u" }), 422, "/listing_id"),
        (
            json!({ "listingId": one, "userId": "u", "eventTypeIds": [types[0], nobody] }),
            422,
            "/event_type_ids/1",
        ),
        (
            json!({ "listingId": one, "userId": "u", "eventTypeIds": [types[0], types[2]] }),
            422,
            "/event_type_ids/1",
        ),
        (
            json!({ "listingId": one, "userId": "u", "eventTypeIds": [types[0], types[0]] }),
            422,
            "/event_type_ids/1",
        ),
        (
            json!({ "listingId": one, "userId": "u", "eventTypeIds": vec![nobody; 101] }),
            422,
            "/event_type_ids",
        ),
        (json!({ "listingId": one, "userId": "u", "roundRobinWeight": 1_001 }), 422, "/round_robin_weight"),
        (json!({ "listingId": one, "userId": "u", "roundRobinWeight": -1 }), 400, "/round_robin_weight"),
        (
            json!({ "listingId": one, "userId": "u", "roundRobinWeight": 1, "turns": { "weight": 1 } }),
            400,
            "/round_robin_weight",
        ),
        (json!({ "listingId": one, "userId": "u", "turns": { "moon": 1 } }), 400, "/turns/moon"),
        (json!({ "listingId": one, "userId": "u", "role": "queen" }), 400, "/role"),
        (json!({ "listingId": one, "userId": "" }), 422, "/name"),
        (json!({ "listingId": one }), 422, "/name"),
        (json!({ "userId": "u" }), 422, "/time_zone"),
    ] {
        let answer = post(&api, TEAM, &body.to_string()).await;
        assert_eq!(field(&answer), (status, at), "{body}: {}", answer.body);
    }
    assert_eq!(api.ok("GET", TEAM, Value::Null).await["items"], json!([]));
    assert_eq!(members(&types[0]).await, json!([]), "nothing half-done");

    // All of a listing's, then one more by name, with a role of theirs; others are left as they are.
    let first =
        made(&api, TEAM, json!({ "listingId": one, "userId": "u", "roundRobinEnabled": false })).await;
    assert_eq!(first["event_type_ids"], json!([types[0], types[1]]));
    assert_eq!(
        first["turns"],
        json!({ "round_robin": false, "weight": 100, "priority": 2, "calibration": 0 })
    );
    let body = json!({ "userId": "u", "eventTypeIds": [types[2], types[1]], "roundRobinWeight": 9 });
    let again = post(&api, TEAM, &body.to_string()).await;
    assert_eq!(again.status.as_u16(), 200, "{}", again.body);
    has(&again.body, &json!({ "id": first["id"], "revision": 2, "event_type_ids": [types[2], types[1]] }));
    assert_eq!(
        again.body["turns"],
        json!({ "round_robin": false, "weight": 9, "priority": 2, "calibration": 0 })
    );
    for id in &types {
        assert_eq!(members(id).await, json!([first["id"]]));
    }
    let named = json!({ "name": "Una", "userId": "u", "timeZone": "UTC" });
    refused(&post(&api, TEAM, &named.to_string()).await, 409, "BERTH-E0409");
    let other = api.other_tenant().await;
    let theirs = crate::key(&api.world, other, berth_engine::TENANT_SCOPES).await;
    let foreign = json!({ "name": "Una", "timeZone": "UTC", "eventTypeIds": [types[0]] });
    assert_eq!(field(&api.send("POST", TEAM, Some(&theirs), &[], foreign).await), (422, "/event_type_ids/0"));

    // At the same time: one person, in both.
    let ask = async |id: &Value| {
        let body = json!({ "userId": "w", "timeZone": "UTC", "eventTypeIds": [id] }).to_string();
        post(&api, TEAM, &body).await.body
    };
    let (left, right) = tokio::join!(ask(&types[0]), ask(&types[1]));
    assert_eq!(left["id"], right["id"], "{left} {right}");
    assert_eq!(
        (members(&types[0]).await, members(&types[1]).await),
        (json!([first["id"], left["id"]]), json!([first["id"], left["id"]]))
    );
}
