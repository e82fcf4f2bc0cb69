//! Lists of bookings over HTTP: searched, narrowed, ordered, expanded, counted, as CSV; and what is refused.

use axum::http::StatusCode;
use berth_engine::TENANT_SCOPES;
use serde_json::{Value, json};

use crate::{Api, booking, bookings::event_type, key, refused};

const PATH: &str = "/api/booking";

/// A booking for somebody.
async fn made(api: &Api, event_type: &Value, start: &str, name: &str, email: &str) -> Value {
    let mut new = booking(event_type, start);
    new["attendee"]["name"] = json!(name);
    new["attendee"]["email"] = json!(email);
    api.ok("POST", PATH, new).await
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_typed_is_found_and_what_is_chosen_is_listed() {
    let api = Api::new().await;
    let offered = event_type(&api, json!({ "confirmation": "manual" })).await;
    let ada = made(&api, &offered, "2026-11-24T09:00:00Z", "Ada Nowak", "ada@example.com").await;
    let lu = made(&api, &offered, "2026-11-25T09:00:00Z", "Łukasz Żak", "lz@example.com").await;
    let (ada_id, lu_id) = (ada["id"].as_str().unwrap(), lu["id"].as_str().unwrap());
    api.ok("POST", &format!("{PATH}/{lu_id}/confirm"), Value::Null).await;
    let moved = api
        .ok("POST", &format!("{PATH}/{lu_id}/reschedule"), json!({ "start": "2026-11-25T10:00:00Z" }))
        .await;
    assert!(moved["rescheduled_at"].is_string() && ada["rescheduled_at"].is_null(), "{moved}");

    let customer = ada["customer_id"].as_str().unwrap();
    let (of_ada, of_lu, both) = (vec![ada_id], vec![lu_id], vec![ada_id, lu_id]);
    let none: Vec<&str> = Vec::new();
    for (query, found) in [
        ("q=nowak".to_owned(), &of_ada),
        ("q=%C5%BBAK".to_owned(), &of_lu),
        ("q=lz%40ex".to_owned(), &of_lu),
        (format!("q={}", &ada_id[..8]), if ada_id[..8] == lu_id[..8] { &both } else { &of_ada }),
        ("status=pending,scheduled".to_owned(), &both),
        ("status=pending&status=confirmed".to_owned(), &both),
        ("status=rescheduled".to_owned(), &of_lu),
        ("status=cancelled".to_owned(), &none),
        ("sort=-start".to_owned(), &vec![lu_id, ada_id]),
        ("sort=created".to_owned(), &both),
        ("sort=-updated".to_owned(), &vec![lu_id, ada_id]),
        ("from=2026-11-24&to=2026-11-24&time_zone=UTC".to_owned(), &of_ada),
        ("from=2026-11-25&time_zone=UTC".to_owned(), &of_lu),
        ("to=2026-11-24T09:00:00Z".to_owned(), &none),
        ("provider=builtin".to_owned(), &both),
        (format!("customer_id={customer}"), &of_ada),
        (format!("event_type_id={}", offered.as_str().unwrap()), &both),
        (format!("event_type={}", offered.as_str().unwrap()), &both),
        (format!("created_before={}", ada["created_at"].as_str().unwrap()), &none),
        (format!("created_after={}", ada["created_at"].as_str().unwrap()), &both),
        (format!("updated_after={}", moved["updated_at"].as_str().unwrap()), &of_lu),
    ] {
        let page = api.ok("GET", &format!("{PATH}?{query}"), Value::Null).await;
        assert_eq!(&ids(&page), found, "{query}");
    }

    // A page after the other, in an order that is not the usual one.
    let first = api.ok("GET", &format!("{PATH}?sort=-start&limit=1"), Value::Null).await;
    let next = first["next"].as_str().unwrap();
    let second = api.ok("GET", &format!("{PATH}?sort=-start&limit=1&cursor={next}"), Value::Null).await;
    assert_eq!((ids(&first), ids(&second), &second["next"]), (vec![lu_id], vec![ada_id], &Value::Null));
    let other = api.send("GET", &format!("{PATH}?cursor={next}"), Some(&api.key), &[], Value::Null).await;
    refused(&other, 400, "BERTH-E0401");
    assert!(other.body["detail"].as_str().unwrap().contains("sort=-start"), "{}", other.body);

    // Who may not see addresses does not find by them either.
    let tenant = api.world.caller.tenant;
    let blind = key(&api.world, tenant, &["bookings:read"]).await;
    let page = |query: &str| format!("{PATH}?{query}");
    let found = api.send("GET", &page("q=ada%40example.com"), Some(&blind), &[], Value::Null).await;
    assert_eq!(ids(&found.body), none);
    let found = api.send("GET", &page("q=ada"), Some(&blind), &[], Value::Null).await;
    assert_eq!(ids(&found.body), [ada_id]);
    let hidden = api.send("GET", &page("expand=customer"), Some(&blind), &[], Value::Null).await;
    assert_eq!((hidden.status, &hidden.body["code"]), (StatusCode::FORBIDDEN, &json!("BERTH-E0403")));

    // Another tenant's are not found by anything.
    let other = api.other_tenant().await;
    let other = key(&api.world, other, TENANT_SCOPES).await;
    for query in ["q=ada", "q=ada%40example.com", &format!("q={ada_id}"), &format!("customer_id={customer}")]
    {
        let found = api.send("GET", &page(query), Some(&other), &[], Value::Null).await;
        assert_eq!(ids(&found.body), none, "{query}");
    }
}

#[tokio::test]
async fn what_is_not_known_is_refused_by_name() {
    let api = Api::new().await;
    for (query, name, named) in [
        ("stauts=pending", "stauts", "`status`"),
        ("status=done", "status", "no_show"),
        ("sort=name", "sort", "-updated"),
        ("expand=member,tenant", "expand", "listing"),
        ("provider=acme", "provider", "builtin"),
        ("format=xml", "format", "csv"),
        ("from=2026-11-24", "time_zone", "is required"),
        ("from=2026-11-31&time_zone=UTC", "from", "day"),
        ("from=2026-11-25&to=2026-11-23&time_zone=UTC", "to", "before from"),
        (
            "created_after=2026-11-25T00:00:00Z&created_before=2026-11-24T00:00:00Z",
            "created_before",
            "before created_after",
        ),
        ("q=", "q", "1 to 200"),
        ("member_id=ada", "member_id", ""),
        ("limit=201", "", "1 to 200"),
        ("cursor=bm8", "", "cursor"),
        ("format=csv&limit=5", "limit", "CSV"),
    ] {
        let path = format!("{PATH}?{query}");
        let answer = api.send("GET", &path, Some(&api.key), &[], Value::Null).await;
        refused(&answer, 400, "BERTH-E0401");
        let errors = &answer.body["errors"];
        if !name.is_empty() {
            assert_eq!(errors[0]["field"], name, "{query}: {}", answer.body);
        }
        assert!(answer.body["detail"].as_str().unwrap().contains(named), "{query}: {}", answer.body);
    }
    let twice = api.send("GET", &format!("{PATH}?limit=1&limit=2"), Some(&api.key), &[], Value::Null).await;
    refused(&twice, 400, "BERTH-E0401");
}

#[tokio::test]
async fn ids_are_shown_with_what_they_stand_for() {
    let api = Api::new().await;
    let offered = event_type(&api, json!({})).await;
    let ada = made(&api, &offered, "2026-11-24T09:00:00Z", "Ada Nowak", "ada@example.com").await;
    made(&api, &offered, "2026-11-24T10:00:00Z", "Bea Nowak", "bea@example.com").await;
    let path = format!("{PATH}?expand=event_type,member&expand=listing,customer");
    let page = api.ok("GET", &path, Value::Null).await;
    for item in page["items"].as_array().unwrap() {
        let expanded = &item["expanded"];
        for (name, id) in [
            ("event_type", "event_type_id"),
            ("member", "member_id"),
            ("listing", "listing_id"),
            ("customer", "customer_id"),
        ] {
            assert_eq!(expanded[name]["id"], item[id], "{name}: {item}");
        }
    }
    assert_eq!(page["items"][0]["expanded"]["customer"]["name"], "Ada Nowak");
    let one = api.ok("GET", &format!("{PATH}?expand=member&limit=1"), Value::Null).await;
    assert_eq!(one["items"][0]["expanded"].as_object().unwrap().keys().collect::<Vec<_>>(), ["member"]);
    let plain = api.ok("GET", PATH, Value::Null).await;
    assert!(plain["items"][0].get("expanded").is_none() && ada.get("expanded").is_none());
}

#[tokio::test]
async fn bookings_are_counted_by_day() {
    let api = Api::new().await;
    let offered = event_type(&api, json!({ "confirmation": "manual" })).await;
    // Half past midnight there, and half past eleven of the evening before.
    let late = made(&api, &offered, "2026-11-24T23:30:00Z", "Ada", "ada@example.com").await;
    made(&api, &offered, "2026-11-24T22:30:00Z", "Bea", "bea@example.com").await;
    api.ok("POST", &format!("{PATH}/{}/confirm", late["id"].as_str().unwrap()), Value::Null).await;
    let counts = |query: &str| format!("{PATH}/counts?from=2026-11-24&to=2026-11-26&{query}");
    let warsaw = api.ok("GET", &counts("time_zone=Europe/Warsaw"), Value::Null).await;
    assert_eq!(
        warsaw,
        json!({ "time_zone": "Europe/Warsaw", "days": [
            { "date": "2026-11-24", "total": 1, "by_status": { "pending": 1 } },
            { "date": "2026-11-25", "total": 1, "by_status": { "confirmed": 1 } },
            { "date": "2026-11-26", "total": 0, "by_status": {} },
        ] })
    );
    let utc = api.ok("GET", &counts("time_zone=UTC&status=pending&q=bea"), Value::Null).await;
    assert_eq!(utc["days"][0]["by_status"], json!({ "pending": 1 }));
    for (query, name) in [
        ("from=2026-11-24&to=2026-11-25", "time_zone"),
        ("from=2026-11-24&time_zone=UTC", "to"),
        ("from=2026-11-24T00:00:00Z&to=2026-11-25&time_zone=UTC", "from"),
        ("from=2026-11-25&to=2026-11-24&time_zone=UTC", "to"),
        ("from=2026-01-01&to=2027-01-02&time_zone=UTC", "to"),
        ("from=2026-11-24&to=2026-11-24&time_zone=UTC&limit=5", "limit"),
    ] {
        let answer =
            api.send("GET", &format!("{PATH}/counts?{query}"), Some(&api.key), &[], Value::Null).await;
        refused(&answer, 400, "BERTH-E0401");
        assert_eq!(answer.body["errors"][0]["field"], name, "{}", answer.body);
    }
}

#[tokio::test]
async fn all_of_them_are_a_file() {
    let api = Api::new().await;
    let header = "id,status,start,end,attendee_name,";
    let csv = async |path: &str, headers: &[(&str, &str)]| {
        let answer = api.send("GET", path, Some(&api.key), headers, Value::Null).await;
        assert_eq!(
            answer.headers["content-type"], "text/csv; charset=utf-8; header=present",
            "{}",
            answer.text
        );
        answer.text
    };
    let empty = csv(&format!("{PATH}?format=csv"), &[]).await;
    assert!(empty.starts_with(header) && empty.ends_with("\r\n") && empty.lines().count() == 1, "{empty}");

    let offered = event_type(&api, json!({})).await;
    made(&api, &offered, "2026-11-24T09:00:00Z", "=HYPERLINK(\"x\"), Ada", "ada@example.com").await;
    made(&api, &offered, "2026-11-24T10:00:00Z", "Bea", "bea@example.com").await;
    let all = csv(&format!("{PATH}?sort=-start"), &[("accept", "text/csv")]).await;
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!(lines.len(), 3, "{all}");
    assert!(lines[1].contains(",Bea,bea@example.com,"), "{all}");
    assert!(lines[2].contains(",\"'=HYPERLINK(\"\"x\"\"), Ada\","), "{all}");
    let one = csv(&format!("{PATH}?q=bea&format=csv"), &[("accept", "application/json")]).await;
    assert_eq!(one.lines().count(), 2);
    let page =
        api.send("GET", PATH, Some(&api.key), &[("accept", "application/json, text/csv")], Value::Null).await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 2, "the first is what is wanted most");
}

/// More than one part: each booking is there once.
#[tokio::test]
async fn a_long_file_has_everything_once() {
    let api = Api::new().await;
    let offered = event_type(&api, json!({ "seats": 500 })).await;
    let mut ids = std::collections::BTreeSet::new();
    for n in 0..410 {
        let email = format!("p{n}@example.com");
        let booked = made(&api, &offered, "2026-11-24T09:00:00Z", &format!("Person {n}"), &email).await;
        ids.insert(booked["id"].as_str().unwrap().to_owned());
    }
    let file = api.send("GET", &format!("{PATH}?format=csv"), Some(&api.key), &[], Value::Null).await.text;
    let lines: Vec<&str> = file.lines().skip(1).collect();
    let found: std::collections::BTreeSet<String> =
        lines.iter().map(|line| line.split(',').next().unwrap().to_owned()).collect();
    assert_eq!((lines.len(), found), (410, ids));
}
