//! Calendars whose days close a listing: read event by event, imported again, cancelled.

use axum::http::StatusCode;
use berth_model::limits;
use serde_json::{Value, json};

use crate::{Answer, Api};

struct Shop {
    api: Api,
    listing: String,
}

impl Shop {
    async fn new() -> Self {
        let api = Api::new().await;
        let listing = json!({ "slug": "quay", "title": "Quay", "time_zone": "Europe/Lisbon" });
        let listing = api.ok("POST", "/api/listings", listing).await["id"].as_str().unwrap().to_owned();
        Self { api, listing }
    }

    async fn import(&self, text: &str) -> Answer {
        let path = format!("/api/booking/holidays/import?listing={}", self.listing);
        let headers = [("content-type", "text/calendar")];
        self.api.send_body("POST", &path, Some(&self.api.key), &headers, text.to_owned()).await
    }

    async fn holidays(&self) -> Vec<String> {
        let all = self.api.ok("GET", "/api/booking/holidays?limit=100", Value::Null).await;
        let shown = |h: &Value| format!("{} {}", h["date"].as_str().unwrap(), h["name"].as_str().unwrap());
        let mut all: Vec<String> = all["items"].as_array().unwrap().iter().map(shown).collect();
        all.sort();
        all
    }
}

fn file(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n", events.replace('\n', "\r\n"))
}

fn event(uid: &str, lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n{lines}\nEND:VEVENT\n")
}

#[tokio::test]
async fn what_is_odd_is_left_out_alone_and_named() {
    let shop = Shop::new().await;
    let events = [
        event("fete@x", "DTSTART;VALUE=DATE:20270714\nDTEND;VALUE=DATE:20270714\nSUMMARY:Fête nationale"),
        event("odd@x", "DTSTART;VALUE=DATE:20270715\nDTEND;VALUE=DATE:20270713\nSUMMARY:Odd"),
        event("party@x", "DTSTART:20270716T180000Z\nSUMMARY:Party"),
        event("yearly@x", "DTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY\nSUMMARY:Christmas"),
    ];
    let done = shop.import(&file(&events.concat())).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.body);
    let body = &done.body;
    assert_eq!(body["holidays"].as_array().unwrap().len(), 7);
    assert_eq!((&body["already"], &body["removed"]), (&json!(0), &json!([])));
    assert_eq!((&body["recurring_until"], &body["left_out_count"]), (&json!("2031-12-31"), &json!(2)));
    assert_eq!(
        body["left_out"],
        json!([
            { "line": 10, "uid": "odd@x", "summary": "Odd", "reason": "ends before it begins" },
            { "line": 17, "uid": "party@x", "summary": "Party",
                "reason": "has a time of day; only whole days are imported" },
        ])
    );
    let none = shop.import(&file(&events[1..3].concat())).await;
    assert_eq!((none.status, &none.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("BERTH-E0422")));
    assert_eq!(none.body["detail"], "None of the 2 events of the file can be imported.");
    assert_eq!(
        none.body["errors"][1]["message"],
        "line 10: the event \"Party\" (UID party@x) has a time of day; only whole days are imported"
    );
}

#[tokio::test]
async fn importing_again_adds_nothing_twice_and_follows_the_calendar() {
    let shop = Shop::new().await;
    let first = event("a@x", "DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas");
    let second = event("b@x", "DTSTART;VALUE=DATE:20261226\nSUMMARY:Boxing Day");
    let calendar = file(&[first, second].concat());
    let made = shop.import(&calendar).await;
    assert_eq!(made.body["holidays"].as_array().unwrap().len(), 2);
    let again = shop.import(&calendar).await;
    assert_eq!(
        (again.status, &again.body["holidays"], &again.body["already"]),
        (StatusCode::CREATED, &json!([]), &json!(2))
    );
    let moved = file(&event("a@x", "DTSTART;VALUE=DATE:20261228\nSEQUENCE:1\nSUMMARY:Christmas, moved"));
    let moved = shop.import(&moved).await;
    assert_eq!(moved.body["removed"], json!([made.body["holidays"][0]["id"]]));
    assert_eq!(shop.holidays().await, ["2026-12-26 Boxing Day", "2026-12-28 Christmas, moved"]);
    let old = shop.import(&calendar).await;
    assert_eq!((&old.body["already"], &old.body["left_out_count"]), (&json!(1), &json!(1)));
    assert_eq!(old.body["left_out"][0]["reason"], "was imported in a newer version before");
    let cancelled = shop.import(&file(&event("b@x", "DTSTART;VALUE=DATE:20261226\nSTATUS:CANCELLED"))).await;
    assert_eq!(
        (&cancelled.body["removed"], &cancelled.body["left_out"][0]["reason"]),
        (&json!([made.body["holidays"][1]["id"]]), &json!("is cancelled"))
    );
    assert_eq!(shop.holidays().await, ["2026-12-28 Christmas, moved"]);

    // Somebody names it otherwise here: it is theirs.
    let rule = shop.api.ok("GET", "/api/booking/holidays", Value::Null).await["items"][0].clone();
    let path = format!("/api/booking/holidays/{}", rule["id"].as_str().unwrap());
    let named = json!({ "listing": shop.listing, "name": "Ours", "date": "2026-12-28" });
    shop.api.ok("PUT", &path, named).await;
    let newer = file(&event("a@x", "DTSTART;VALUE=DATE:20261229\nSEQUENCE:2\nSUMMARY:Christmas"));
    assert_eq!(shop.import(&newer).await.body["removed"], json!([]));
    assert_eq!(shop.holidays().await, ["2026-12-28 Ours", "2026-12-29 Christmas"]);
}

#[tokio::test]
async fn the_same_file_many_times_at_once_is_there_once() {
    let shop = Shop::new().await;
    let days: String = (1..=28)
        .map(|n| event(&format!("{n}@x"), &format!("DTSTART;VALUE=DATE:202702{n:02}\nSUMMARY:{n}")))
        .collect();
    let calendar = file(&days);
    let all = futures_util::future::join_all((0..8).map(|_| shop.import(&calendar))).await;
    assert!(all.iter().any(|answer| answer.status == StatusCode::CREATED));
    for answer in all {
        let good = [StatusCode::CREATED, StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
        assert!(good.contains(&answer.status), "{}", answer.body);
    }
    assert_eq!(shop.holidays().await.len(), 28);
}

#[tokio::test]
async fn a_calendar_of_many_days_with_all_its_notes_fits() {
    let shop = Shop::new().await;
    let note =
        "DESCRIPTION:Observed by people who like long descriptions of why the shops are closed today.\n";
    let days: String = (0..limits::HOURS_RULES_MAX)
        .map(|n| {
            let lines = format!(
                "DTSTART;VALUE=DATE:{}{:02}{:02}\n{}SUMMARY:{n}",
                2000 + n / 336,
                n / 28 % 12 + 1,
                n % 28 + 1,
                note.repeat(4)
            );
            event(&format!("{n}@holidays.example.com"), &lines)
        })
        .collect();
    let calendar = file(&days);
    assert!(calendar.len() > limits::API_BODY_BYTES_MAX);
    let done = shop.import(&calendar).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.body);
    assert_eq!(done.body["holidays"].as_array().unwrap().len(), limits::HOURS_RULES_MAX);
    let large =
        shop.import(&file(&event("a", &format!("X-A:{}", "x".repeat(limits::HOLIDAY_FILE_BYTES_MAX))))).await;
    assert_eq!((large.status, &large.body["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("BERTH-E0413")));
}
