//! Availability rules: kept, refused with the field's path, and seen in the slots.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::{Answer, Api, booking, key};

struct Shop {
    api: Api,
    listing: Value,
    ana: Value,
    event_type: Value,
}

/// Ana, Monday to Friday from 9 to 12 in Lisbon, for an hour each.
async fn shop() -> Shop {
    let api = Api::new().await;
    let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "Europe/Lisbon" });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    let hours =
        json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": "09:00", "end": "12:00" }]);
    let ana = json!({ "name": "Ana", "time_zone": "Europe/Lisbon", "weekly_hours": hours });
    let ana = api.ok("POST", "/api/booking/team", ana).await["id"].clone();
    let event_type =
        json!({ "listing": listing, "slug": "cut", "title": "Cut", "length_minutes": 60, "members": [ana] });
    let event_type = api.ok("POST", "/api/booking/event-types", event_type).await["id"].clone();
    Shop { api, listing, ana, event_type }
}

impl Shop {
    async fn sent(&self, method: &str, path: &str, body: Value) -> Answer {
        self.api.send(method, path, Some(&self.api.key), &[], body).await
    }

    async fn answer(&self, from: &str, to: &str) -> Value {
        let id = self.event_type.as_str().unwrap();
        let path = format!(
            "/api/booking/availability?event_type={id}&from={from}T00:00:00Z&to={to}T00:00:00Z&time_zone=UTC&explain=true"
        );
        self.api.ok("GET", &path, Value::Null).await
    }

    /// Starts of one day, `HH:MM` in UTC.
    async fn day(&self, day: &str) -> Vec<String> {
        let next = format!("{}{:02}", &day[..8], day[8..].parse::<u32>().unwrap() + 1);
        let answer = self.answer(day, &next).await;
        let slots = answer["days"].as_array().unwrap().iter().flat_map(|d| d["slots"].as_array().unwrap());
        slots.map(|s| s["start"].as_str().unwrap()[11..16].to_owned()).collect()
    }

    async fn make(&self, path: &str, body: Value) -> Value {
        self.api.ok("POST", path, body).await
    }
}

const OVERRIDES: &str = "/api/booking/overrides";

#[tokio::test]
async fn a_rule_is_made_read_replaced_and_removed() {
    let shop = shop().await;
    let body = json!({ "member": shop.ana, "date": "2026-12-01", "intervals": [{ "start": "14:00", "end": "16:00" }] });
    let made = shop.sent("POST", OVERRIDES, body.clone()).await;
    assert_eq!((made.status, &made.headers["etag"]), (StatusCode::CREATED, &"\"1\"".parse().unwrap()));
    let path = format!("{OVERRIDES}/{}", made.body["id"].as_str().unwrap());
    assert_eq!(shop.api.ok("GET", &path, Value::Null).await, made.body);
    assert_eq!(shop.api.ok("GET", OVERRIDES, Value::Null).await["items"], json!([made.body]));

    let stale =
        shop.api.send("PUT", &path, Some(&shop.api.key), &[("if-match", "\"7\"")], body.clone()).await;
    assert_eq!((stale.status, &stale.body["code"]), (StatusCode::PRECONDITION_FAILED, &json!("BERTH-E0415")));
    let closed = json!({ "member": shop.ana, "date": "2026-12-01" });
    let changed = shop.api.ok("PUT", &path, closed).await;
    assert_eq!((&changed["revision"], &changed["intervals"]), (&json!(2), &json!([])));

    // Another kind, another tenant: not found.
    let elsewhere = format!("/api/booking/holidays/{}", made.body["id"].as_str().unwrap());
    assert_eq!(shop.sent("GET", &elsewhere, Value::Null).await.status, StatusCode::NOT_FOUND);
    let other = shop.api.other_tenant().await;
    let stranger = key(&shop.api.world, other, TENANT_SCOPES).await;
    for (method, body) in [("GET", Value::Null), ("PUT", body.clone()), ("DELETE", Value::Null)] {
        let answer = shop.api.send(method, &path, Some(&stranger), &[], body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    // A foreign member cannot be named either.
    let foreign = shop.api.send("POST", OVERRIDES, Some(&stranger), &[], body).await;
    assert_eq!(
        (foreign.status, &foreign.body["errors"][0]["field"]),
        (StatusCode::NOT_FOUND, &json!("/member_id"))
    );

    assert_eq!(shop.sent("DELETE", &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(shop.sent("GET", &path, Value::Null).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_path() {
    let shop = shop().await;
    let (ana, listing) = (&shop.ana, &shop.listing);
    let cases = [
        (OVERRIDES, json!({ "date": "2026-12-01" }), 422, "/member_id"),
        (OVERRIDES, json!({ "member": ana, "listing": listing, "date": "2026-12-01" }), 422, "/member_id"),
        (OVERRIDES, json!({ "member": "ana", "date": "2026-12-01" }), 422, "/member_id"),
        (OVERRIDES, json!({ "member": ana, "date": "soon" }), 400, "/date"),
        (
            OVERRIDES,
            json!({ "member": ana, "date": "2026-12-01", "intervals": [{ "start": "10:00", "end": "10:00" }] }),
            422,
            "/intervals/0/end",
        ),
        (
            "/api/booking/holidays",
            json!({ "member": ana, "name": "X", "date": "2026-12-01" }),
            422,
            "/listing_id",
        ),
        (
            "/api/booking/holidays",
            json!({ "listing": listing, "name": "", "date": "2026-12-01" }),
            422,
            "/name",
        ),
        (
            "/api/booking/holidays",
            json!({ "listing": listing, "name": "X", "date": "2026-12-02", "last_date": "2026-12-01" }),
            422,
            "/last_date",
        ),
        (
            "/api/booking/out-of-office",
            json!({ "member": ana, "start": "2026-12-02T00:00:00Z", "end": "2026-12-02T00:00:00Z" }),
            422,
            "/end",
        ),
        (
            "/api/booking/travel",
            json!({ "member": ana, "from": "2026-12-02", "time_zone": "Mars/Base" }),
            422,
            "/time_zone",
        ),
        ("/api/booking/patterns", json!({ "member": ana }), 422, "/hours"),
        (
            "/api/booking/patterns",
            json!({ "member": ana, "weekdays": [], "hours": { "start": "09:00", "end": "10:00" } }),
            422,
            "/weekdays",
        ),
        (
            "/api/booking/patterns",
            json!({ "member": ana, "dtstart_local": "2026-12-01T09:00:00", "rrule": "FREQ=NEVER", "duration_minutes": 60 }),
            422,
            "/rrule",
        ),
        (
            "/api/booking/restriction-schedules",
            json!({ "name": "Night", "time_zone": "UTC", "weekly_hours": [{ "weekdays": [], "start": "09:00", "end": "10:00" }] }),
            422,
            "/weekly_hours/0/weekdays",
        ),
    ];
    for (path, body, status, field) in cases {
        let answer = shop.sent("POST", path, body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["field"], field, "{body}: {}", answer.body);
        assert_eq!(shop.api.ok("GET", path, Value::Null).await["items"], json!([]), "nothing is stored");
    }
}

#[tokio::test]
async fn overrides_holidays_and_time_off_change_the_slots() {
    let shop = shop().await;
    assert_eq!(shop.day("2026-12-01").await, ["09:00", "10:00", "11:00"]);
    let day =
        |date: &str, intervals: Value| json!({ "member": shop.ana, "date": date, "intervals": intervals });
    shop.make(OVERRIDES, day("2026-12-01", json!([{ "start": "14:00", "end": "16:00" }]))).await;
    assert_eq!(shop.day("2026-12-01").await, ["14:00", "15:00"]);
    let answer = shop.answer("2026-12-01", "2026-12-02").await;
    assert_eq!(answer["rejected"][0]["reason"], "override");

    let holiday = json!({ "listing": shop.listing, "name": "Restoration", "date": "2026-12-01", "last_date": "2026-12-02" });
    shop.make("/api/booking/holidays", holiday).await;
    assert_eq!(shop.day("2026-12-01").await, ["14:00", "15:00"], "an override opens a holiday");
    assert_eq!(shop.day("2026-12-02").await, [""; 0]);

    let away = json!({ "member": shop.ana, "start": "2026-12-03T10:00:00Z", "end": "2026-12-04T11:00:00Z", "reason": "Sea" });
    shop.make("/api/booking/out-of-office", away).await;
    assert_eq!(shop.day("2026-12-03").await, ["09:00"]);
    assert_eq!(shop.day("2026-12-04").await, ["11:00"]);

    let travel = json!({ "member": shop.ana, "from": "2026-12-07", "to": "2026-12-07", "time_zone": "America/New_York" });
    shop.make("/api/booking/travel", travel).await;
    assert_eq!(shop.day("2026-12-07").await, ["14:00", "15:00", "16:00"], "the same hours on another clock");
    assert_eq!(shop.day("2026-12-08").await, ["09:00", "10:00", "11:00"]);

    // What is offered can be booked, and nothing else.
    let book = |start: &str| booking(&shop.event_type, start);
    let refused = shop.sent("POST", "/api/booking", book("2026-12-02T10:00:00Z")).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("BERTH-E0410")));
    assert_eq!(
        shop.sent("POST", "/api/booking", book("2026-12-07T14:00:00Z")).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn patterns_replace_weekly_hours_and_cut_those_of_others() {
    let shop = shop().await;
    let weekly = json!({ "member": shop.ana, "weekdays": ["Tue"], "hours": { "start": "10:00", "end": "12:00" },
        "valid_from": "2026-12-01", "valid_to": "2026-12-01" });
    shop.make("/api/booking/patterns", weekly).await;
    let first_monday = json!({ "member": shop.ana, "dtstart_local": "2026-12-07T15:00:00", "rrule": "FREQ=MONTHLY;BYDAY=1MO",
        "duration_minutes": 120 });
    shop.make("/api/booking/patterns", first_monday).await;
    assert_eq!(shop.day("2026-12-01").await, ["10:00", "11:00"]);
    assert_eq!(shop.day("2026-12-07").await, ["15:00", "16:00"]);
    assert_eq!(shop.day("2026-12-08").await, [""; 0], "beyond its last day, and no first Monday");

    let cut = json!({ "listing": shop.listing, "weekdays": ["Mon", "Tue"], "hours": { "start": "11:00", "end": "16:00" } });
    shop.make("/api/booking/patterns", cut).await;
    assert_eq!(shop.day("2026-12-01").await, ["11:00"]);
    assert_eq!(shop.day("2026-12-07").await, ["15:00"]);

    let schedule = json!({ "name": "Mornings", "time_zone": "UTC",
        "weekly_hours": [{ "weekdays": ["Mon", "Tue"], "start": "00:00", "end": "12:00" }] });
    let schedule = shop.make("/api/booking/restriction-schedules", schedule).await;
    let patch = json!({ "policy": { "restriction_schedule": schedule["id"] } });
    let path = format!("/api/booking/event-types/{}", shop.event_type.as_str().unwrap());
    shop.api.ok("PATCH", &path, patch).await;
    assert_eq!(shop.day("2026-12-01").await, ["11:00"]);
    assert_eq!(shop.day("2026-12-07").await, [""; 0]);
    let answer = shop.answer("2026-12-07", "2026-12-08").await;
    assert_eq!(answer["rejected"][0]["reason"], "restriction");

    let removed = format!("/api/booking/restriction-schedules/{}", schedule["id"].as_str().unwrap());
    assert_eq!(shop.sent("DELETE", &removed, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(shop.day("2026-12-01").await, [""; 0], "better closed than open when nobody wants it");
    let unknown = json!({ "policy": { "restriction_schedule": schedule["id"] } });
    let refused = shop.sent("PATCH", &path, unknown).await;
    assert_eq!(refused.body["errors"][0]["field"], "/policy/restriction_schedule");
}

#[tokio::test]
async fn a_pattern_can_be_looked_at_before_it_is_kept() {
    let shop = shop().await;
    let body = json!({ "pattern": { "weekdays": ["Mon"], "hours": { "start": "09:00", "end": "11:00" } }, "time_zone": "Europe/Lisbon",
        "from": "2026-11-30T00:00:00Z", "to": "2026-12-14T00:00:00Z", "length_minutes": 60 });
    let shown = shop.make("/api/booking/availability/generate", body).await;
    assert_eq!(
        shown["slots"],
        json!([
            "2026-11-30T09:00:00Z",
            "2026-11-30T10:00:00Z",
            "2026-12-07T09:00:00Z",
            "2026-12-07T10:00:00Z"
        ])
    );
    assert_eq!(shop.api.ok("GET", "/api/booking/patterns", Value::Null).await["items"], json!([]));
}

#[tokio::test]
async fn holidays_come_from_an_icalendar_file() {
    let shop = shop().await;
    let path = format!("/api/booking/holidays/import?listing={}", shop.listing.as_str().unwrap());
    let import = async |text: &str| {
        let request = axum::http::Request::builder().method("POST").uri(&path);
        let request = request
            .header("authorization", format!("Bearer {}", shop.api.key))
            .header("content-type", "text/calendar");
        let request = request.body(axum::body::Body::from(text.to_owned())).unwrap();
        tower::ServiceExt::oneshot(shop.api.router.clone(), request).await.unwrap().status()
    };
    let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261208\r\nDTEND;VALUE=DATE:20261209\r\nSUMMARY:Conception\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert_eq!(shop.day("2026-12-08").await.len(), 3);
    assert_eq!(import(&file.replace("20261208", "20269999")).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(import(file).await, StatusCode::CREATED);
    assert_eq!(shop.day("2026-12-08").await, [""; 0]);
    assert_eq!(
        shop.api.ok("GET", "/api/booking/holidays", Value::Null).await["items"][0]["name"],
        "Conception"
    );
}

#[tokio::test]
async fn the_stateless_form_answers_over_http() {
    let shop = shop().await;
    let body = json!({ "kind": "slot_check", "slot": { "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z" },
        "host": { "id": "ana", "free_ranges": [{ "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z" }] } });
    let answer = shop.make("/api/booking/availability/compute", body).await;
    assert_eq!(answer, json!({ "available": true, "reason": null }));
    let refused =
        shop.sent("POST", "/api/booking/availability/compute", json!({ "kind": "slots", "hosts": [] })).await;
    assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["field"]), (422, &json!("/range")));
}

#[tokio::test]
async fn slots_have_a_tag_that_a_write_changes() {
    let shop = shop().await;
    let id = shop.event_type.as_str().unwrap();
    let path = format!(
        "/api/booking/availability?event_type={id}&from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z&time_zone=UTC"
    );
    let first = shop.sent("GET", &path, Value::Null).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again =
        shop.api.send("GET", &path, Some(&shop.api.key), &[("if-none-match", &tag)], Value::Null).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let made = shop.sent("POST", "/api/booking", booking(&shop.event_type, "2026-12-01T09:00:00Z")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let changed =
        shop.api.send("GET", &path, Some(&shop.api.key), &[("if-none-match", &tag)], Value::Null).await;
    assert_eq!(changed.status, StatusCode::OK);
}

#[tokio::test]
async fn public_holidays_of_a_country_close_a_listing() {
    let shop = shop().await;
    // Restoration of Independence, a Tuesday.
    assert_eq!(shop.day("2026-12-01").await.len(), 3);
    let known = shop.api.ok("GET", "/api/booking/holidays/countries", Value::Null).await;
    let countries = known["countries"].as_array().unwrap();
    assert!(
        countries.iter().any(|c| c["code"] == "PT") && known["to_year"].as_u64().unwrap() >= 2030,
        "{known}"
    );
    let path = "/api/booking/holidays/import-country";
    let import =
        |listing: &Value| json!({ "listing": listing, "country": "PT", "from_year": 2026, "to_year": 2027 });
    let made = shop.sent("POST", path, import(&shop.listing)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{:?}", made.body);
    let count = made.body["holidays"].as_array().unwrap().len();
    assert!(count >= 26, "{count}");
    assert_eq!(shop.day("2026-12-01").await, Vec::<String>::new());
    // Again: nothing twice.
    let again = shop.sent("POST", path, import(&shop.listing)).await;
    assert_eq!((&again.body["holidays"], &again.body["already"]), (&json!([]), &json!(count)));
    for (changed, value, pointer) in [
        ("country", json!("XX"), "/country"),
        ("subdivision", json!("Nowhere"), "/subdivision"),
        ("from_year", json!(1999), "/from_year"),
        ("listing", json!("00000000-0000-7000-8000-000000000001"), "/listing_id"),
    ] {
        let mut body = import(&shop.listing);
        body[changed] = value;
        let refused = shop.sent("POST", path, body).await;
        assert_eq!(refused.body["errors"][0]["field"], pointer, "{:?}", refused.body);
    }
}

/// The rule of a stored pattern, as an older version wrote it that did not refuse it.
async fn stored_before(shop: &Shop, pattern: &Value, dtstart: &str, rrule: &str) {
    let url = format!("sqlite:{}", shop.api.world.database().unwrap().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let id = pattern["id"].as_str().unwrap().replace('-', "");
    let update = format!(
        "UPDATE rules SET rule = json_set(rule, '$.dtstart_local', '{dtstart}', '$.rrule', '{rrule}') WHERE id = x'{id}'"
    );
    let done = sqlx::query(AssertSqlSafe(update)).execute(&mut connection).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
    connection.close().await.unwrap();
}

#[tokio::test]
async fn patterns_of_an_older_version_that_cannot_be_followed_are_left_out_and_named() {
    let shop = shop().await;
    let pattern = |hour: u32| json!({ "member": shop.ana, "dtstart_local": format!("2026-11-02T{hour}:00:00"), "rrule": "FREQ=WEEKLY;BYDAY=TU", "duration_minutes": 60 });
    shop.make("/api/booking/patterns", pattern(14)).await;
    let dear = shop.make("/api/booking/patterns", pattern(15)).await;
    let unreadable = shop.make("/api/booking/patterns", pattern(16)).await;
    assert_eq!(shop.day("2026-11-24").await, ["14:00", "15:00", "16:00"]);
    assert_eq!(shop.answer("2026-11-24", "2026-11-25").await.get("left_out"), None);

    stored_before(&shop, &dear, "1970-01-01T15:00:00", "FREQ=MINUTELY;COUNT=4294967295").await;
    stored_before(&shop, &unreadable, "2026-11-02T16:00:00", "FREQ=FORTNIGHTLY").await;
    let answer = shop.answer("2026-11-24", "2026-11-25").await;
    let mut named: Vec<&str> =
        answer["left_out"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    named.sort_unstable();
    let mut expected = [&dear, &unreadable].map(|pattern| pattern["id"].as_str().unwrap());
    expected.sort_unstable();
    assert_eq!(named, expected, "{answer}");
    assert_eq!(shop.day("2026-11-24").await, ["14:00"], "they open nothing, and the others do");
    // A booking is made beside them.
    let made = booking(&shop.event_type, "2026-11-24T14:00:00Z");
    assert_eq!(shop.sent("POST", "/api/booking", made).await.status, StatusCode::CREATED);
}
