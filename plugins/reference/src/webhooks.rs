//! Webhooks. A message is `{"event": "created", "booking": {…}, "old_id": "…"}`; the bookings of messages are not stored.

use berth_sdk::{
    Result, Webhooks,
    time::{self, SECOND},
    types::{
        Attendee, Booking, BookingStatus, Interval, ProviderError, Rescheduled, SubscribeRequest,
        Subscription, WebhookEvent, WebhookOutcome, WebhookReply, WebhookRequest,
    },
};
use serde::Deserialize;

use crate::{Reference, store};

#[derive(Deserialize)]
struct Message {
    event: Event,
    booking: Option<MessageBooking>,
    /// The booking that was replaced, or that should be looked at.
    old_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Created,
    Rescheduled,
    Cancelled,
    Updated,
    Sync,
    SubscriptionEnded,
    Ping,
}

#[derive(Deserialize)]
struct MessageBooking {
    id: String,
    reference: Option<String>,
    status: Status,
    #[serde(deserialize_with = "time::rfc3339")]
    start: i64,
    #[serde(deserialize_with = "time::rfc3339")]
    end: i64,
    event_type: Option<String>,
    #[serde(default)]
    attendees: Vec<Attendee>,
    #[serde(default, deserialize_with = "time::rfc3339_option")]
    updated_at: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    Confirmed,
    Cancelled,
    Completed,
    NoShow,
}

impl Webhooks for Reference {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        self.run("subscribe", || Ok(self.subscription(request.callback_url)))
    }

    fn renew(&self, _subscription: Subscription, callback_url: String) -> Result<Subscription> {
        self.run("renew", || Ok(self.subscription(callback_url)))
    }

    fn unsubscribe(&self, _subscription: Subscription) -> Result<()> {
        self.run("unsubscribe", || Ok(()))
    }

    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        self.run("handle", || {
            if let Some(token) = request.query.strip_prefix("validation=") {
                let (content_type, body) = ("text/plain".to_owned(), token.as_bytes().to_vec());
                let reply = WebhookReply { status: 200, content_type, body };
                return Ok(WebhookOutcome { events: Vec::new(), reply: Some(reply) });
            }
            Ok(WebhookOutcome { events: events(&request.body)?, reply: None })
        })
    }
}

impl Reference {
    fn subscription(&self, callback_url: String) -> Subscription {
        let age = i64::from(self.settings.webhook_expires_seconds) * SECOND;
        let id = store::id_of("hook", &callback_url);
        Subscription { id, expires_at: (age > 0).then(|| time::now() + age), data: Some(callback_url) }
    }
}

fn events(body: &[u8]) -> Result<Vec<WebhookEvent>> {
    let message: Message =
        serde_json::from_slice(body).map_err(|e| ProviderError::invalid("body", e.to_string()))?;
    let (old_id, booking) = (message.old_id, message.booking);
    let told = old_id.clone();
    let booking = || -> Result<Booking> {
        let booking = booking.ok_or_else(|| ProviderError::invalid("body.booking", "is missing"))?;
        Ok(to_booking(booking, told))
    };
    Ok(vec![match message.event {
        Event::Created => WebhookEvent::Created(booking()?),
        Event::Cancelled => WebhookEvent::Cancelled(booking()?),
        Event::Updated => WebhookEvent::Updated(booking()?),
        Event::Rescheduled => {
            let booking = booking()?;
            let old_id = booking.rescheduled_from.clone().unwrap_or_else(|| booking.id.clone());
            WebhookEvent::Rescheduled(Rescheduled { old_id, booking })
        }
        Event::Sync => WebhookEvent::ChangedGoAndSync(old_id),
        Event::SubscriptionEnded => WebhookEvent::SubscriptionEnded,
        Event::Ping => return Ok(Vec::new()),
    }])
}

fn to_booking(message: MessageBooking, old_id: Option<String>) -> Booking {
    Booking {
        raw: format!(r#"{{"id":{}}}"#, serde_json::Value::from(message.id.as_str())),
        id: message.id,
        reference: message.reference,
        status: match message.status {
            Status::Pending => BookingStatus::Pending,
            Status::Confirmed => BookingStatus::Confirmed,
            Status::Cancelled => BookingStatus::Cancelled,
            Status::Completed => BookingStatus::Completed,
            Status::NoShow => BookingStatus::NoShow,
        },
        when: Interval { start: message.start, end: message.end },
        event_type: message.event_type,
        title: None,
        attendees: message.attendees,
        location: None,
        cancellation_reason: None,
        rescheduled_from: old_id,
        rescheduled_to: None,
        updated_at: message.updated_at,
    }
}
