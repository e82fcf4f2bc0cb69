//! What `webhooks` returns.

use berth_model::{limits, outbound::provider as model};

use super::{
    booking,
    check::{Breach, Checked, each, id, instant, line, maybe, opaque},
};
use crate::contract::bindings::exports::berth::provider::webhooks;

pub(crate) fn subscription(of: webhooks::Subscription) -> Checked<model::Subscription> {
    Ok(model::Subscription {
        id: id("id", of.id)?,
        expires_at: maybe(of.expires_at, |t| instant("expires-at", t))?,
        data: maybe(of.data, |t| opaque("data", t))?,
    })
}

pub(crate) fn webhook_outcome(of: webhooks::WebhookOutcome) -> Checked<model::WebhookOutcome> {
    Ok(model::WebhookOutcome {
        events: each("events", limits::REPLY_ITEMS_MAX, of.events, event)?,
        reply: maybe(of.reply, reply)?,
    })
}

fn event(of: webhooks::WebhookEvent) -> Checked<model::WebhookEvent> {
    use webhooks::WebhookEvent as From;
    Ok(match of {
        From::Created(of) => model::WebhookEvent::Created(booking(of)?),
        From::Rescheduled(of) => model::WebhookEvent::Rescheduled {
            old_id: id("old-id", of.old_id)?,
            booking: booking(of.booking).map_err(|b| b.inside("booking"))?,
        },
        From::Cancelled(of) => model::WebhookEvent::Cancelled(booking(of)?),
        From::Updated(of) => model::WebhookEvent::Updated(booking(of)?),
        From::ChangedGoAndSync(of) => model::WebhookEvent::ChangedGoAndSync(maybe(of, |t| id("id", t))?),
        From::SubscriptionEnded => model::WebhookEvent::SubscriptionEnded,
    })
}

fn reply(of: webhooks::WebhookReply) -> Checked<model::WebhookReply> {
    if !(200..600).contains(&of.status) {
        return Err(Breach::new("reply.status", "is not an HTTP status from 200 to 599"));
    }
    if of.body.len() > limits::WEBHOOK_REPLY_BYTES_MAX {
        return Err(Breach::new("reply.body", "is longer than 65536 bytes"));
    }
    let content_type = line("content-type", of.content_type).map_err(|b| b.inside("reply"))?;
    Ok(model::WebhookReply { status: of.status, content_type, body: of.body })
}
