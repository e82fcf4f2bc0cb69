//! Seats of one meeting.

use axum::http::StatusCode;
use serde_json::json;

use crate::{Api, booking, bookings::event_type};

/// Hundreds of clients want the seats of one meeting, hold them, or want all of a series.
#[tokio::test]
async fn a_storm_gets_as_many_seats_as_there_are() {
    let api = Api::new().await;
    let event_type = event_type(&api, json!({ "seats": 7 })).await;
    let start = "2026-11-24T09:00:00Z";
    let send = async |n: usize| match n % 3 {
        0 => api.send("POST", "/api/booking", Some(&api.key), &[], booking(&event_type, start)).await,
        1 => {
            let body = json!({ "event_type": event_type, "start": start });
            api.send("POST", "/api/booking/holds", Some(&api.key), &[], body).await
        }
        _ => {
            let mut body = booking(&event_type, start);
            body["recurrence"] = json!({ "rrule": "FREQ=DAILY;COUNT=2" });
            api.send("POST", "/api/booking", Some(&api.key), &[], body).await
        }
    };
    let answers = futures_util::future::join_all((0..210).map(send)).await;
    let made = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 7);
    let refused = answers.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count();
    assert_eq!(
        refused,
        203,
        "nobody anything else: {:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
}
