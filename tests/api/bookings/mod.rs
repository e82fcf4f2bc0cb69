//! Bookings over their whole life.

mod bulk;
mod change;
mod clock_changes;
mod create;
mod edit;
mod edits_there;
mod holds;
mod lists;
mod locations;
mod manage;
mod public;
mod seats;
mod series;
mod walk;

use serde_json::{Value, json};

use crate::Api;

/// The id of an event type with this policy.
async fn event_type(api: &Api, policy: Value) -> Value {
    let id = json!(api.world.offer(None, None).await.id);
    let path = format!("/api/booking/event-types/{}", id.as_str().unwrap());
    api.ok("PATCH", &path, json!({ "policy": policy })).await;
    id
}
