//! A walk over the feed of events.

use serde_json::json;

use crate::{Api, events::feed::a_life, walk::Walk};

#[tokio::test]
async fn events() {
    let api = Api::new().await;
    let mut walk = Walk::over(&api).await;
    let event_type = json!(api.world.offer(None, None).await.id);
    a_life(&api, &event_type, 9).await;
    walk.get("/api/events/kinds").await;
    walk.get("/api/events").await;
    walk.get("/api/events?kinds=booking.cancelled&limit=1").await;
    walk.get("/api/events?kinds=booking.eaten").await;
    walk.end("events", "events");
}
