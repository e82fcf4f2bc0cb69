//! Values on their way to a component: the model's into the contract's. Nothing can go wrong here.

use berth_model::{outbound::provider as model, time};

use super::bindings::{
    berth::provider::types as wit,
    exports::berth::provider::{availability, blocks, booking_edits, bookings, links, webhooks},
};

pub(crate) fn interval(of: time::Interval) -> wit::Interval {
    wit::Interval { start: of.start().micros(), end: of.end().micros() }
}

pub(crate) fn page(of: model::PageRequest) -> wit::PageRequest {
    wit::PageRequest { token: of.token, limit: of.limit }
}

fn attendee(of: model::Attendee) -> wit::Attendee {
    wit::Attendee {
        name: of.name,
        email: of.email,
        phone: of.phone,
        time_zone: of.time_zone,
        language: of.language,
    }
}

pub(crate) fn slot_query(of: model::SlotQuery) -> availability::SlotQuery {
    availability::SlotQuery {
        event_type: of.event_type,
        within: interval(of.within),
        length_minutes: of.length_minutes,
        time_zone: of.time_zone,
        rescheduling: of.rescheduling,
    }
}

pub(crate) fn busy_query(of: model::BusyQuery) -> availability::BusyQuery {
    availability::BusyQuery { within: interval(of.within), calendars: of.calendars, time_zone: of.time_zone }
}

pub(crate) fn create(of: model::CreateRequest) -> bookings::CreateRequest {
    bookings::CreateRequest {
        idempotency_key: of.idempotency_key,
        reference: of.reference,
        event_type: of.event_type,
        when: interval(of.when),
        attendee: attendee(of.attendee),
        guests: of.guests,
        answers: of
            .answers
            .into_iter()
            .map(|(question, value)| bookings::Answer { question, value: value.to_string() })
            .collect(),
        notes: of.notes,
        slot_token: of.slot_token,
    }
}

pub(crate) fn lookup(of: model::ReferenceLookup) -> bookings::ReferenceLookup {
    bookings::ReferenceLookup {
        reference: of.reference,
        attendee_email: of.attendee_email,
        created_after: of.created_after.micros(),
        when: interval(of.when),
    }
}

pub(crate) fn cancel(of: model::CancelRequest) -> bookings::CancelRequest {
    bookings::CancelRequest { idempotency_key: of.idempotency_key, id: of.id, reason: of.reason }
}

pub(crate) fn reschedule(of: model::RescheduleRequest) -> bookings::RescheduleRequest {
    bookings::RescheduleRequest {
        idempotency_key: of.idempotency_key,
        id: of.id,
        reference: of.reference,
        when: interval(of.when),
        reason: of.reason,
        requested_by: of.requested_by,
        slot_token: of.slot_token,
    }
}

pub(crate) fn link(of: model::LinkRequest) -> links::LinkRequest {
    links::LinkRequest {
        idempotency_key: of.idempotency_key,
        event_type: of.event_type,
        max_bookings: of.max_bookings,
    }
}

pub(crate) fn subscribe(of: model::SubscribeRequest) -> webhooks::SubscribeRequest {
    webhooks::SubscribeRequest { idempotency_key: of.idempotency_key, callback_url: of.callback_url }
}

pub(crate) fn subscription(of: model::Subscription) -> webhooks::Subscription {
    webhooks::Subscription { id: of.id, expires_at: of.expires_at.map(time::Instant::micros), data: of.data }
}

pub(crate) fn webhook(of: model::WebhookRequest) -> webhooks::WebhookRequest {
    webhooks::WebhookRequest {
        method: of.method,
        headers: of.headers,
        query: of.query,
        body: of.body,
        received_at: of.received_at.micros(),
        subscription: of.subscription,
    }
}

pub(crate) fn block(of: model::BlockRequest) -> blocks::BlockRequest {
    blocks::BlockRequest {
        idempotency_key: of.idempotency_key,
        reference: of.reference,
        calendar: of.calendar,
        when: interval(of.when),
        title: of.title,
    }
}

pub(crate) fn block_lookup(of: model::BlockLookup) -> blocks::BlockLookup {
    blocks::BlockLookup { reference: of.reference, calendar: of.calendar, when: interval(of.when) }
}

pub(crate) fn update(of: model::UpdateRequest) -> booking_edits::UpdateRequest {
    let part = |part: model::BookingPart| match part {
        model::BookingPart::Attendee => booking_edits::Part::Attendee,
        model::BookingPart::Guests => booking_edits::Part::Guests,
        model::BookingPart::Answers => booking_edits::Part::Answers,
        model::BookingPart::Notes => booking_edits::Part::Notes,
        model::BookingPart::Location => booking_edits::Part::Location,
    };
    let answer = |(question, value): (String, serde_json::Value)| booking_edits::EditedAnswer {
        question,
        value: value.to_string(),
    };
    booking_edits::UpdateRequest {
        idempotency_key: of.idempotency_key,
        id: of.id,
        reference: of.reference,
        changed: of.changed.into_iter().map(part).collect(),
        attendee: attendee(of.attendee),
        guests: of.guests,
        answers: of.answers.into_iter().map(answer).collect(),
        notes: of.notes,
        location: of.location.map(meeting_place),
    }
}

fn meeting_place(of: model::MeetingPlace) -> booking_edits::MeetingPlace {
    match of {
        model::MeetingPlace::Address(address) => booking_edits::MeetingPlace::Address(address),
        model::MeetingPlace::Phone(phone) => booking_edits::MeetingPlace::Phone(phone),
        model::MeetingPlace::Link(url) => booking_edits::MeetingPlace::Link(url),
        model::MeetingPlace::Conferencing => booking_edits::MeetingPlace::Conferencing,
    }
}

pub(crate) fn reassign(of: model::ReassignRequest) -> booking_edits::ReassignRequest {
    booking_edits::ReassignRequest {
        idempotency_key: of.idempotency_key,
        id: of.id,
        reference: of.reference,
        host: of.host,
    }
}
