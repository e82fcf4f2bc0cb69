//! Subscriptions, and the messages of change that they bring.

use std::collections::BTreeSet;

use berth_sdk::{Result, json::read, time, types::Subscription};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscribed {
    id: String,
    expiration_date_time: Option<String>,
}

/// A subscription as Graph shows it.
pub(crate) fn subscription(value: &Value) -> Result<Subscription> {
    let Subscribed { id, expiration_date_time } = read("subscription", value)?;
    Ok(Subscription { id, expires_at: expiration_date_time.as_deref().and_then(time::parse), data: None })
}

/// What an item of a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// The event with this id was made or changed.
    Changed(String),
    /// The event with this id was deleted, or left its calendar.
    Deleted(String),
    /// Messages were lost.
    Missed,
    /// The subscription is over, or will be unless somebody renews it.
    SubscriptionEnds,
}

#[derive(Deserialize)]
struct Message {
    value: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    change_type: Option<String>,
    lifecycle_event: Option<String>,
    resource_data: Option<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    id: String,
}

/// The news of a message, each once, in order. Empty for what is no message of Graph.
pub(crate) fn news(body: &[u8]) -> Vec<News> {
    let Ok(Message { value }) = serde_json::from_slice::<Message>(body) else { return Vec::new() };
    let items = value.iter().filter_map(|item| Item::deserialize(item).ok());
    let all: Vec<News> = items.filter_map(one).collect();
    // Of an event that was changed and deleted the end is enough.
    let deleted: BTreeSet<&str> =
        all.iter().filter_map(|n| if let News::Deleted(id) = n { Some(id.as_str()) } else { None }).collect();
    let mut found: Vec<News> = Vec::new();
    for news in &all {
        let over = matches!(news, News::Changed(id) if deleted.contains(id.as_str()));
        if !over && !found.contains(news) {
            found.push(news.clone());
        }
    }
    found
}

fn one(item: Item) -> Option<News> {
    if let Some(event) = item.lifecycle_event {
        return match event.as_str() {
            "reauthorizationRequired" | "subscriptionRemoved" => Some(News::SubscriptionEnds),
            "missed" => Some(News::Missed),
            _ => None,
        };
    }
    let id = item.resource_data?.id;
    match item.change_type?.as_str() {
        "created" | "updated" => Some(News::Changed(id)),
        "deleted" => Some(News::Deleted(id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(kind: &str, id: &str) -> Value {
        json!({"subscriptionId": "s", "clientState": "c", "changeType": kind, "resource": "Users/u/Events/e",
            "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "id": id}})
    }

    fn read(items: &[Value]) -> Vec<News> {
        news(json!({ "value": items }).to_string().as_bytes())
    }

    #[test]
    fn changes_come_once_and_deletion_counts() {
        let found = read(&[
            change("created", "a"),
            change("updated", "a"),
            change("updated", "b"),
            change("deleted", "b"),
            change("updated", "b"),
            change("moved", "c"),
        ]);
        assert_eq!(found, [News::Changed("a".to_owned()), News::Deleted("b".to_owned())]);
    }

    #[test]
    fn the_life_of_a_subscription() {
        let event = |name: &str| json!({"subscriptionId": "s", "clientState": "c", "lifecycleEvent": name});
        for (name, expected) in [
            ("reauthorizationRequired", vec![News::SubscriptionEnds]),
            ("subscriptionRemoved", vec![News::SubscriptionEnds]),
            ("missed", vec![News::Missed]),
            ("tomorrow", vec![]),
        ] {
            assert_eq!(read(&[event(name)]), expected, "{name}");
        }
        assert!(news(b"").is_empty() && news(b"[]").is_empty() && news(br#"{"value":[7,null]}"#).is_empty());
    }

    #[test]
    fn a_subscription_says_when_it_ends() {
        let made =
            json!({"id": "s-1", "resource": "me/events", "expirationDateTime": "2026-01-08T00:00:00Z"});
        let subscription = subscription(&made).unwrap();
        assert_eq!(
            (subscription.id.as_str(), subscription.expires_at),
            ("s-1", time::parse("2026-01-08T00:00:00Z"))
        );
        assert!(super::subscription(&json!({})).is_err());
    }
}
