//! The service's JSON.

use serde_json::{Value, json};

use super::{
    config::Calendar,
    state::{Event, State, Subscription},
};
use crate::times::utc;

pub(super) const ACCOUNT: &str = "eve@example.com";
pub(super) const USER: &str = "0f6b5c1e-2a3b-4c5d-8e9f-000000000001";

pub(super) fn me() -> Value {
    json!({ "id": USER, "displayName": "Eve", "mail": ACCOUNT, "userPrincipalName": ACCOUNT })
}

pub(super) fn calendar(state: &State, calendar: &Calendar) -> Value {
    let default = state.config.calendars.first().is_some_and(|first| first.id == calendar.id);
    json!({
        "id": calendar.id, "name": calendar.name, "color": "auto", "isDefaultCalendar": default, "changeKey": "k",
        "canShare": true, "canViewPrivateItems": true, "canEdit": calendar.can_edit,
        "owner": { "name": "Eve", "address": ACCOUNT },
    })
}

/// A time as the service writes it: seven digits of a second, and the zone beside it.
pub(super) fn time(micros: i64) -> Value {
    let time = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
    json!({ "dateTime": time.format("%Y-%m-%dT%H:%M:%S%.6f0").to_string(), "timeZone": "UTC" })
}

/// An event. `expanded`: the extended properties that were asked for.
pub(super) fn event(event: &Event, expanded: Option<&str>) -> Value {
    let key = format!("change-{}", event.change);
    let online =
        event.online.then(|| json!({ "joinUrl": format!("https://teams.example.com/l/{}", event.change) }));
    let mut view = json!({
        "@odata.etag": format!("W/\"{key}\""),
        "id": event.id, "iCalUId": format!("040000008200E00074C5B7101A82E008{}", event.id), "changeKey": key,
        "createdDateTime": utc(event.created_at), "lastModifiedDateTime": utc(event.modified_at),
        "transactionId": event.transaction_id, "type": "singleInstance", "subject": event.subject, "body": event.content,
        "start": time(event.start), "end": time(event.end), "originalStartTimeZone": event.zone, "originalEndTimeZone": event.zone,
        "isAllDay": event.all_day, "isCancelled": false, "isOrganizer": event.response == "organizer", "showAs": event.show_as,
        "responseStatus": { "response": event.response, "time": "0001-01-01T00:00:00Z" },
        "location": { "displayName": event.place, "locationType": "default" }, "attendees": event.attendees,
        "organizer": { "emailAddress": { "name": "Eve", "address": ACCOUNT } },
        "isOnlineMeeting": event.online, "onlineMeeting": online,
        "webLink": format!("https://outlook.office365.com/owa/?itemid={}", event.id),
    });
    if let Some(property) = expanded
        && let Some(value) = event.properties.get(property)
    {
        view["singleValueExtendedProperties"] = json!([{ "id": property, "value": value }]);
    }
    view
}

/// Only these members.
pub(super) fn select(mut view: Value, names: Option<&str>) -> Value {
    if let (Some(names), Some(object)) = (names, view.as_object_mut()) {
        let names: Vec<&str> = names.split(',').collect();
        object.retain(|name, _| name.starts_with("@odata") || names.contains(&name.as_str()));
    }
    view
}

pub(super) fn subscription(subscription: &Subscription) -> Value {
    json!({
        "id": subscription.id, "resource": subscription.resource, "changeType": subscription.change_types.join(","),
        "notificationUrl": subscription.notification_url, "lifecycleNotificationUrl": subscription.lifecycle_url,
        "expirationDateTime": utc(subscription.expires_at), "clientState": subscription.client_state,
        "applicationId": "5f1c0c4e-0000-4000-8000-000000000001", "creatorId": USER, "includeResourceData": null,
        "latestSupportedTlsVersion": "v1_2",
    })
}
