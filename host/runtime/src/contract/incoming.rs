//! Values that a component returned: the contract's into the model's, after a check. What the types of the contract
//! cannot say is checked here. What the host or the provider compares (ids, tokens, times) is refused when it is wrong, and the breach
//! names the field: a component that breaks the contract has failed. What people wrote is cleaned, cut or left out instead, or one
//! customer with an odd name would keep everything else from coming over.

mod check;
mod error;
#[cfg(test)]
mod properties;
mod webhook;

use berth_model::{limits, outbound::provider as model, text, zone::Zone};
use check::{
    Breach, Checked, each, email, id, instant, interval, json, language, line, maybe, name, phone, place,
    prose, web_address, zone,
};

use super::bindings::{
    berth::provider::types as wit,
    exports::berth::provider::{availability, blocks, bookings, catalog, clients, connection, links},
};

pub(crate) use check::Breach as ContractBreach;
pub(crate) use error::provider_error;
pub(crate) use webhook::{subscription, webhook_outcome};

/// Longest reference that is given to a provider, in bytes (`wit/bookings.wit`).
const REFERENCE_BYTES_MAX: usize = 64;

pub(crate) fn account(of: connection::Account) -> Checked<model::Account> {
    Ok(model::Account {
        id: id("id", of.id)?,
        name: name(&of.name),
        email: of.email.and_then(email),
        time_zone: of.time_zone.as_deref().and_then(zone),
        raw: json("raw", &of.raw)?,
    })
}

/// Can it be ours? What a person wrote there in its place is not.
fn is_reference(text: &str) -> bool {
    text.len() <= REFERENCE_BYTES_MAX && !text.chars().any(text::is_forbidden)
}

fn attendee(of: wit::Attendee) -> model::Attendee {
    model::Attendee {
        name: name(&of.name),
        email: of.email.and_then(email),
        phone: of.phone.and_then(phone),
        time_zone: zone(&of.time_zone).unwrap_or_else(|| Zone::UTC.to_string()),
        language: of.language.and_then(language),
    }
}

pub(crate) fn event_type(of: wit::EventType) -> Checked<model::ExternalEventType> {
    Ok(model::ExternalEventType {
        id: id("id", of.id)?,
        title: name(&of.title),
        description: of.description.as_deref().map(prose),
        length_minutes: of.length_minutes,
        length_options_minutes: each(
            "length-options-minutes",
            limits::REPLY_PARTS_MAX,
            of.length_options_minutes,
            Ok,
        )?,
        buffer_before_minutes: of.buffer_before_minutes,
        buffer_after_minutes: of.buffer_after_minutes,
        minimum_notice_minutes: of.minimum_notice_minutes,
        seats: of.seats,
        price: maybe(of.price, money)?,
        needs_confirmation: of.needs_confirmation,
        booking_url: of.booking_url.and_then(web_address),
        active: of.active,
        raw: json("raw", &of.raw)?,
    })
}

fn money(of: wit::Money) -> Checked<model::Money> {
    if of.currency.len() != 3 || !of.currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Breach::new("price.currency", "is not three upper-case letters of ISO 4217"));
    }
    Ok(model::Money { minor_units: of.minor_units, currency: of.currency })
}

pub(crate) fn event_types(of: catalog::EventTypePage) -> Checked<model::Page<model::ExternalEventType>> {
    Ok(model::Page {
        items: each("items", limits::REPLY_ITEMS_MAX, of.items, event_type)?,
        next: maybe(of.next, |t| line("next", t))?,
    })
}

pub(crate) fn slots(of: Vec<wit::Slot>) -> Checked<Vec<model::ExternalSlot>> {
    each("slots", limits::SLOTS_MAX, of, |slot| {
        Ok(model::ExternalSlot {
            when: interval("when", slot.when)?,
            token: maybe(slot.token, |t| line("token", t))?,
            seats_left: slot.seats_left,
        })
    })
}

pub(crate) fn busy_times(of: Vec<availability::BusyTime>) -> Checked<Vec<model::ExternalBusyTime>> {
    each("busy", limits::SLOTS_MAX, of, |busy| {
        Ok(model::ExternalBusyTime {
            when: interval("when", busy.when)?,
            source: busy
                .source
                .filter(|t| t.len() <= limits::REPLY_ID_BYTES_MAX && !t.chars().any(text::is_forbidden)),
        })
    })
}

pub(crate) const fn spans(of: availability::QuerySpans) -> model::QuerySpans {
    model::QuerySpans { free_slots_days: of.free_slots_days, busy_days: of.busy_days }
}

pub(crate) fn booking(of: wit::Booking) -> Checked<model::ExternalBooking> {
    Ok(model::ExternalBooking {
        id: id("id", of.id)?,
        reference: of.reference.filter(|t| is_reference(t)),
        status: match of.status {
            wit::BookingStatus::Pending => model::ExternalStatus::Pending,
            wit::BookingStatus::Confirmed => model::ExternalStatus::Confirmed,
            wit::BookingStatus::Cancelled => model::ExternalStatus::Cancelled,
            wit::BookingStatus::Completed => model::ExternalStatus::Completed,
            wit::BookingStatus::NoShow => model::ExternalStatus::NoShow,
        },
        when: interval("when", of.when)?,
        event_type: maybe(of.event_type, |t| id("event-type", t))?,
        title: of.title.as_deref().map(name),
        attendees: each("attendees", limits::REPLY_PARTS_MAX, of.attendees, |of| Ok(attendee(of)))?,
        location: of.location.as_deref().and_then(place),
        cancellation_reason: of.cancellation_reason.as_deref().map(prose),
        rescheduled_from: maybe(of.rescheduled_from, |t| id("rescheduled-from", t))?,
        rescheduled_to: maybe(of.rescheduled_to, |t| id("rescheduled-to", t))?,
        updated_at: maybe(of.updated_at, |t| instant("updated-at", t))?,
        raw: json("raw", &of.raw)?,
    })
}

pub(crate) fn found_bookings(of: Vec<wit::Booking>) -> Checked<Vec<model::ExternalBooking>> {
    each("bookings", limits::REPLY_ITEMS_MAX, of, booking)
}

pub(crate) fn changes(of: bookings::ChangePage) -> Checked<model::ChangePage> {
    Ok(model::ChangePage {
        items: each("items", limits::REPLY_ITEMS_MAX, of.items, booking)?,
        cursor: line("cursor", of.cursor)?,
        more: of.more,
    })
}

pub(crate) fn booking_link(of: links::BookingLink) -> Checked<model::BookingLink> {
    Ok(model::BookingLink {
        url: web_address(of.url).ok_or_else(|| Breach::new("url", "is not an address of the web"))?,
        expires_at: maybe(of.expires_at, |t| instant("expires-at", t))?,
    })
}

pub(crate) fn client_page(of: clients::ClientPage) -> Checked<model::Page<model::ExternalClient>> {
    let client = |of: clients::Client| {
        Ok(model::ExternalClient {
            id: id("id", of.id)?,
            person: attendee(of.person),
            raw: json("raw", &of.raw)?,
        })
    };
    Ok(model::Page {
        items: each("items", limits::REPLY_ITEMS_MAX, of.items, client)?,
        next: maybe(of.next, |t| line("next", t))?,
    })
}

pub(crate) fn block(of: blocks::Block) -> Checked<model::ExternalBlock> {
    Ok(model::ExternalBlock {
        id: id("id", of.id)?,
        calendar: id("calendar", of.calendar)?,
        when: interval("when", of.when)?,
        raw: json("raw", &of.raw)?,
    })
}

pub(crate) fn found_blocks(of: Vec<blocks::Block>) -> Checked<Vec<model::ExternalBlock>> {
    each("blocks", limits::REPLY_ITEMS_MAX, of, block)
}
