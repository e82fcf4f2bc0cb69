//! Both ends of time at every door: refused with the field's name, at once, and with nothing kept.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Api, booking};

/// What no door takes as an instant.
pub(crate) const INSTANTS: &[&str] = &[
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "9999-12-31T10:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "+10000-01-01T00:00:00Z",
    "2026-11-24T00:30:60Z",
    "2026-11-24T00:30:00\u{2212}01:00",
    "2026-11-24T00:30:00.0000000000000000000000000Z",
    "2026-11-24t00:30:00z",
    "2026-11-24T00:30:00",
    "2026-11-24 00:30:00Z",
];

/// What no door takes as a civil day.
pub(crate) const DAYS: &[&str] =
    &["0000-01-01", "0001-12-25", "1969-12-31", "2200-01-01", "2999-12-25", "9999-12-31"];

pub(crate) struct Doors {
    pub(crate) api: Api,
    pub(crate) listing: Value,
    pub(crate) member: Value,
    pub(crate) event_type: Value,
    pub(crate) booking: String,
    pub(crate) hold: Value,
    pub(crate) manage: String,
}

pub(crate) async fn doors() -> Doors {
    let api = Api::new().await;
    api.ok("PATCH", "/api/tenant", json!({ "settings": { "public": true } })).await;
    let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "UTC" });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    let every = json!(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
    let hours = json!([{ "weekdays": every, "start": "00:00", "end": "24:00" }]);
    let member = json!({ "name": "Ana", "time_zone": "UTC", "weekly_hours": hours });
    let member = api.ok("POST", "/api/booking/team", member).await["id"].clone();
    let event_type = json!({ "listing": listing, "slug": "cut", "title": "Cut", "length_minutes": 30, "members": [member] });
    let event_type = api.ok("POST", "/api/booking/event-types", event_type).await["id"].clone();
    let made = api.ok("POST", "/api/booking", booking(&event_type, "2026-11-24T09:00:00Z")).await;
    let link = format!("/api/booking/{}/link", made["id"].as_str().unwrap());
    let manage = api.ok("GET", &link, Value::Null).await["token"].as_str().unwrap().to_owned();
    let hold = json!({ "event_type": event_type, "start": "2026-11-24T11:00:00Z" });
    let hold = api.ok("POST", "/api/booking/holds", hold).await;
    let booking = made["id"].as_str().unwrap().to_owned();
    Doors { api, listing, member, event_type, booking, hold, manage }
}

/// The query `at` as it is sent.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[tokio::test]
async fn no_door_takes_an_instant_that_is_none() {
    let doors = doors().await;
    let Doors { listing, member, event_type, .. } = &doors;
    let good = "2026-11-24T00:30:00Z";
    for at in INSTANTS {
        let with = |name: &str| {
            let mut body = booking(event_type, good);
            body[name] = json!(at);
            body
        };
        let range = |start: &str, end: &str| json!({ "start": start, "end": end });
        let series = |recurrence: Value| {
            let mut body = booking(event_type, good);
            body["recurrence"] = recurrence;
            body
        };
        let posts = [
            ("/api/booking".to_owned(), with("start"), "/start"),
            ("/api/booking".to_owned(), series(json!({ "starts": [good, at] })), "/recurrence/starts/1"),
            ("/api/booking/holds".to_owned(), json!({ "event_type": event_type, "start": at }), "/start"),
            (format!("/api/booking/{}/reschedule", doors.booking), json!({ "start": at }), "/start"),
            (
                "/api/booking/out-of-office".to_owned(),
                json!({ "member": member, "start": good, "end": at }),
                "/end",
            ),
            (
                "/api/booking/out-of-office".to_owned(),
                json!({ "member": member, "start": at, "end": good }),
                "/start",
            ),
            (
                "/api/booking/availability/generate".to_owned(),
                json!({ "pattern": { "weekdays": ["Mon"], "hours": { "start": "09:00", "end": "10:00" } },
                    "time_zone": "UTC", "from": good, "to": at, "length_minutes": 30 }),
                "/to",
            ),
            (
                "/api/sdk/auth".to_owned(),
                json!({ "name": "k", "scopes": ["bookings:read"], "expires_at": at }),
                "/expires_at",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "slots", "range": range(good, at), "event_length_min": 30, "hosts": [] }),
                "/range/end",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "slots", "range": range(at, good), "event_length_min": 30, "hosts": [] }),
                "/range/start",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "slot_check", "slot": range(at, good), "host": {} }),
                "/slot/start",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "team_bookable", "checks": [range(good, at)], "hosts": [] }),
                "/checks/0/end",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "windows", "range": range(good, at), "host": {} }),
                "/range/end",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "slots", "range": range(good, good), "now": at, "event_length_min": 30, "hosts": [] }),
                "/now",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "windows", "range": range(good, good), "host": { "busy": [range(good, at)] } }),
                "/host/busy/0/end",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "intervals", "operation": "merge", "lists": [[range(at, good)]] }),
                "/lists/0/0/start",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "conflict", "slot": { "start": at, "length_min": 30 } }),
                "/slot/start",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "limit_check", "limit": { "per": "day", "max_bookings": 1 }, "request_start": at, "request_length_min": 30 }),
                "/request_start",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "choose_host", "strategy": "fewest_upcoming", "hosts": [{ "id": "a", "last_assigned_at": at }] }),
                "/hosts/0/last_assigned_at",
            ),
            (
                "/api/booking/availability/compute".to_owned(),
                json!({ "kind": "fairness_period", "reset": "month", "basis": "created_at", "now": at }),
                "/now",
            ),
        ];
        for (path, body, field) in posts {
            let answer = doors.api.send("POST", &path, Some(&doors.api.key), &[], body).await;
            let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
            assert!(
                matches!(answer.status.as_u16(), 400 | 422),
                "{path} {at}: {} {}",
                answer.status,
                answer.body
            );
            assert!(
                errors.iter().any(|error| error["field"] == field),
                "{path} {field} {at}: {}",
                answer.body
            );
        }
        // Without a key: the link that a customer has.
        let path = format!("/api/booking/manage/{}/reschedule", doors.manage);
        let answer = doors.api.send("POST", &path, None, &[], json!({ "start": at })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{at}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["field"], "/start", "{at}");
        let (id, at) = (event_type.as_str().unwrap(), encoded(at));
        for (from, to) in [(at.as_str(), good), (good, at.as_str())] {
            for path in [
                format!("/api/booking/availability?event_type={id}&from={from}&to={to}&time_zone=UTC"),
                format!("/api/booking?from={from}&to={to}"),
                format!("/api/admin/reference/reconciliation?from={from}&to={to}"),
            ] {
                let answer = doors.api.send("GET", &path, Some(&doors.api.key), &[], Value::Null).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.body);
            }
        }
    }
    let kept = doors.api.ok("GET", "/api/booking", Value::Null).await;
    assert_eq!(kept["items"].as_array().unwrap().len(), 1, "nothing else is kept");
    assert!(doors.hold["id"].is_string() && listing.is_string());
}

#[tokio::test]
async fn no_door_takes_a_day_that_no_instant_lies_on() {
    let doors = doors().await;
    let Doors { listing, member, event_type, .. } = &doors;
    let good = "2026-12-01";
    for day in DAYS {
        let weekly = |from: &str, to: &str| json!({ "member": member, "weekdays": ["Mon"], "hours": { "start": "09:00", "end": "10:00" }, "valid_from": from, "valid_to": to });
        let recurring = |dtstart: &str, rule: String, more: Value| {
            let mut body =
                json!({ "member": member, "dtstart_local": dtstart, "rrule": rule, "duration_minutes": 60 });
            body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
            body
        };
        let (local, fine) = (format!("{day}T09:00:00"), "2026-12-01T09:00:00");
        let until = format!("FREQ=DAILY;UNTIL={}", day.replace('-', ""));
        let rule = |host: Value| json!({ "kind": "windows", "range": { "start": "2026-11-24T00:00:00Z", "end": "2026-11-25T00:00:00Z" }, "host": host });
        let patterns = "/api/booking/patterns";
        let compute = "/api/booking/availability/compute";
        let posts = [
            (patterns, weekly(day, good), "/valid_from"),
            (patterns, weekly(good, day), "/valid_to"),
            (patterns, recurring(&local, "FREQ=DAILY".to_owned(), json!({})), "/dtstart_local"),
            (patterns, recurring(fine, until.clone(), json!({})), "/rrule"),
            (
                patterns,
                recurring(fine, "FREQ=DAILY".to_owned(), json!({ "rdates_local": [local] })),
                "/rdates_local",
            ),
            (
                patterns,
                recurring(fine, "FREQ=DAILY".to_owned(), json!({ "exdates_local": [local] })),
                "/exdates_local",
            ),
            ("/api/booking/overrides", json!({ "member": member, "date": day }), "/date"),
            ("/api/booking/holidays", json!({ "listing": listing, "name": "X", "date": day }), "/date"),
            (
                "/api/booking/holidays",
                json!({ "listing": listing, "name": "X", "date": good, "last_date": day }),
                "/last_date",
            ),
            (
                "/api/booking/travel",
                json!({ "member": member, "from": day, "to": good, "time_zone": "Asia/Tokyo" }),
                "/from",
            ),
            (
                "/api/booking/travel",
                json!({ "member": member, "from": good, "to": day, "time_zone": "Asia/Tokyo" }),
                "/to",
            ),
            (
                "/api/booking/restriction-schedules",
                json!({ "name": "X", "time_zone": "UTC", "overrides": [{ "date": day }] }),
                "/overrides/0/date",
            ),
            (compute, rule(json!({ "date_overrides": [{ "date": day }] })), "/host/date_overrides/0/date"),
            (compute, rule(json!({ "unavailable_dates": [day] })), "/host/unavailable_dates/0"),
            (compute, rule(json!({ "travel": [{ "from": day, "timezone": "UTC" }] })), "/host/travel/0/from"),
            (
                compute,
                json!({ "kind": "rrule", "dtstart_local": local, "rrule": "FREQ=DAILY", "take_first": 3 }),
                "/dtstart_local",
            ),
            (
                compute,
                json!({ "kind": "rrule", "dtstart_local": fine, "rrule": until, "take_first": 3 }),
                "/rrule",
            ),
            (
                "/api/booking/event-types",
                json!({ "listing": listing, "slug": "far", "title": "Far", "length_minutes": 30, "members": [member],
                    "policy": { "booking_window": { "type": "range", "from": day, "to": day } } }),
                "/policy/booking_window/from",
            ),
        ];
        for (path, body, field) in posts {
            // As an end it means that there is none: see `as_written.rs`.
            if *day == "9999-12-31" && ["/valid_to", "/last_date", "/to"].contains(&field) {
                continue;
            }
            let answer = doors.api.send("POST", path, Some(&doors.api.key), &[], body).await;
            let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
            assert!(
                matches!(answer.status.as_u16(), 400 | 422),
                "{path} {day}: {} {}",
                answer.status,
                answer.body
            );
            assert!(
                errors.iter().any(|error| error["field"] == field),
                "{path} {field} {day}: {}",
                answer.body
            );
        }
        for (first, last) in [(*day, good), (good, *day)] {
            let (first, last) = (first.replace('-', ""), last.replace('-', ""));
            let file = format!(
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:{first}\nDTEND;VALUE=DATE:{last}\nEND:VEVENT\nEND:VCALENDAR\n"
            );
            let path = format!("/api/booking/holidays/import?listing={}", listing.as_str().unwrap());
            let request = Request::post(&path).header("content-type", "text/calendar");
            let request = request.header("authorization", format!("Bearer {}", doors.api.key));
            let request = request.body(Body::from(file)).unwrap();
            let answer = doors.api.router.clone().oneshot(request).await.unwrap();
            // The day after the last one that is known ends an event.
            let expected =
                if last == "22000101" { StatusCode::CREATED } else { StatusCode::UNPROCESSABLE_ENTITY };
            assert_eq!(answer.status(), expected, "{first} {last}");
        }
    }
    let path = format!("/api/booking/event-types/{}", event_type.as_str().unwrap());
    let patch = json!({ "policy": { "booking_window": { "type": "range", "from": "2026-12-01", "to": "9999-12-31" } } });
    let answer = doors.api.send("PATCH", &path, Some(&doors.api.key), &[], patch).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
}

#[tokio::test]
async fn the_last_minutes_of_time_are_answered_and_nothing_is_booked_beyond_them() {
    let doors = doors().await;
    let id = doors.event_type.as_str().unwrap();
    let last = "2199-12-31T23:59:59.999999Z";
    let path = format!(
        "/api/booking/availability?event_type={id}&from=2199-12-30T00:00:00Z&to={last}&time_zone=UTC"
    );
    let answer = doors.api.ok("GET", &path, Value::Null).await;
    assert_eq!(answer["days"], json!([]), "far beyond the booking window");
    for start in ["2199-12-31T23:30:00Z", "2199-12-31T23:45:00Z", last, "1970-01-01T00:00:00Z"] {
        for (path, body) in [
            ("/api/booking".to_owned(), booking(&doors.event_type, start)),
            ("/api/booking/holds".to_owned(), json!({ "event_type": doors.event_type, "start": start })),
            (format!("/api/booking/{}/reschedule", doors.booking), json!({ "start": start })),
        ] {
            let answer = doors.api.send("POST", &path, Some(&doors.api.key), &[], body).await;
            assert!(
                matches!(answer.status.as_u16(), 409 | 422),
                "{path} {start}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
    // Free days are not looked for as far as the end of time.
    let path = format!("/api/booking/event-types/{id}");
    let patch = json!({ "policy": { "booking_window": { "type": "rolling_window", "days": 3 } } });
    doors.api.ok("PATCH", &path, patch).await;
    let path = format!(
        "/api/booking/availability?event_type={id}&from=2199-12-30T00:00:00Z&to={last}&time_zone=UTC"
    );
    assert_eq!(doors.api.ok("GET", &path, Value::Null).await["days"], json!([]));
}

#[tokio::test]
async fn rules_that_never_come_or_are_too_dear_are_refused_when_they_are_stored() {
    let doors = doors().await;
    let Doors { member, listing, event_type, .. } = &doors;
    let pattern =
        |rule: &str| json!({ "dtstart_local": "2026-11-02T09:00:00", "rrule": rule, "duration_minutes": 60 });
    let mut kept = pattern("FREQ=WEEKLY;BYDAY=MO");
    kept["member_id"] = member.clone();
    let kept = doors.api.ok("POST", "/api/booking/patterns", kept).await;
    let path = format!("/api/booking/patterns/{}", kept["id"].as_str().unwrap());
    for rule in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MINUTELY",
        "FREQ=DAILY;COUNT=4294967295",
        "FREQ=DAILY;UNTIL=20261101",
    ] {
        for (owner, of) in [("member", member), ("listing", listing), ("event_type", event_type)] {
            let mut body = pattern(rule);
            body[owner] = of.clone();
            for (method, path) in [("POST", "/api/booking/patterns"), ("PUT", path.as_str())] {
                let answer = doors.api.send(method, path, Some(&doors.api.key), &[], body.clone()).await;
                assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{rule}: {}", answer.body);
                assert_eq!(answer.body["errors"][0]["field"], "/rrule", "{rule}: {}", answer.body);
            }
        }
        let preview = json!({ "pattern": pattern(rule), "time_zone": "UTC", "from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z", "length_minutes": 30 });
        let answer = doors
            .api
            .send("POST", "/api/booking/availability/generate", Some(&doors.api.key), &[], preview)
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{rule}: {}", answer.body);
    }
}

#[tokio::test]
async fn one_may_have_so_many_patterns_and_no_more() {
    let doors = doors().await;
    let body = |n: usize| json!({ "member": doors.member, "dtstart_local": format!("2026-11-02T{:02}:00:00", n % 24), "rrule": "FREQ=WEEKLY", "duration_minutes": 60 });
    let most = usize::try_from(berth_model::limits::PATTERNS_OF_ONE_MAX).unwrap();
    for n in 0..most {
        doors.api.ok("POST", "/api/booking/patterns", body(n)).await;
    }
    let answer = doors.api.send("POST", "/api/booking/patterns", Some(&doors.api.key), &[], body(0)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    assert_eq!(answer.body["errors"][0]["field"], "/member_id");
    // Another owner has its own, and who is full may still change one.
    let mut other = body(0);
    other.as_object_mut().unwrap().remove("member");
    other["listing_id"] = doors.listing.clone();
    doors.api.ok("POST", "/api/booking/patterns", other).await;
    let list = doors.api.ok("GET", "/api/booking/patterns?limit=1", Value::Null).await;
    let path = format!("/api/booking/patterns/{}", list["items"][0]["id"].as_str().unwrap());
    doors.api.ok("PUT", &path, body(3)).await;
}
