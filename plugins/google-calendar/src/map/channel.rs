//! Push channels and their messages.

use berth_sdk::{
    Result,
    json::read,
    log,
    time::MILLISECOND,
    types::{ProviderError, Subscription},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long a channel shall live, in seconds: a week is what Google gives at most.
const TTL_SECONDS: &str = "604800";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Channel {
    id: String,
    resource_id: String,
    expiration: Option<Value>,
}

/// What of a channel only Google knows, kept in the subscription.
#[derive(Serialize, Deserialize)]
struct Data {
    resource_id: String,
}

/// Berth adds the token.
pub(crate) fn watch_body(id: &str, callback_url: &str) -> Value {
    json!({ "id": id, "type": "web_hook", "address": callback_url, "params": { "ttl": TTL_SECONDS } })
}

pub(crate) fn stop_body(subscription: &Subscription) -> Value {
    json!({ "id": subscription.id, "resourceId": resource_of(subscription.data.as_deref()).unwrap_or_default() })
}

/// A channel as it was made.
pub(crate) fn subscription(answer: &Value) -> Result<Subscription> {
    let channel: Channel = read("channel", answer)?;
    // Milliseconds since 1970, as text.
    let expires_at = channel.expiration.as_ref().and_then(|at| match at {
        Value::String(text) => text.parse::<i64>().ok(),
        other => other.as_i64(),
    });
    let data = serde_json::to_string(&Data { resource_id: channel.resource_id })
        .map_err(|_| ProviderError::Unavailable(None))?;
    Ok(Subscription {
        id: channel.id,
        expires_at: expires_at.and_then(|ms| ms.checked_mul(MILLISECOND)),
        data: Some(data),
    })
}

fn resource_of(data: Option<&str>) -> Option<String> {
    Some(serde_json::from_str::<Data>(data?).ok()?.resource_id)
}

/// Does a message say that something changed? The first one of a channel says only that the channel works; one about another
/// resource than the subscription's is left over from an earlier set-up.
pub(crate) fn says_changed(headers: &[(String, String)], subscription: Option<&str>) -> Result<bool> {
    let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let Some(resource_state) = header("x-goog-resource-state") else {
        return Err(ProviderError::invalid(
            "headers.x-goog-resource-state",
            "is missing: not a push message",
        ));
    };
    let known = resource_of(subscription);
    if let (Some(known), Some(told)) = (known.as_deref(), header("x-goog-resource-id"))
        && known != told
    {
        log::info("a message about another resource is ignored");
        return Ok(false);
    }
    Ok(resource_state != "sync")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_channel_is_a_subscription() {
        let answer = json!({ "kind": "api#channel", "id": "c1", "resourceId": "o3hg", "expiration": "1767700000000",
            "resourceUri": "https://www.googleapis.com/calendar/v3/calendars/primary/events?alt=json" });
        let made = subscription(&answer).unwrap();
        assert_eq!((made.id.as_str(), made.expires_at), ("c1", Some(1_767_700_000_000_000)));
        assert_eq!(stop_body(&made), json!({ "id": "c1", "resourceId": "o3hg" }));
        let endless = subscription(&json!({ "id": "c1", "resourceId": "o3hg" })).unwrap();
        assert_eq!(endless.expires_at, None);
        assert_eq!(subscription(&json!({ "id": "c1" })), Err(ProviderError::Unavailable(None)));
    }

    #[test]
    fn messages() {
        let data = r#"{"resource_id":"o3hg"}"#;
        for (state, resource, expected) in [
            ("sync", "o3hg", false),
            ("exists", "o3hg", true),
            ("not_exists", "o3hg", true),
            ("exists", "another", false),
        ] {
            let pairs = [("x-goog-resource-state", state), ("x-goog-resource-id", resource)];
            assert_eq!(says_changed(&headers(&pairs), Some(data)), Ok(expected), "{state} {resource}");
        }
        let bare = headers(&[("x-goog-resource-state", "exists")]);
        assert_eq!((says_changed(&bare, Some(data)), says_changed(&bare, None)), (Ok(true), Ok(true)));
        assert!(matches!(says_changed(&[], None), Err(ProviderError::Invalid(_))));
    }
}
