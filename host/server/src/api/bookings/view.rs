//! Bookings as they are shown.

use axum::{http::StatusCode, response::Response};
use berth_engine::{BookOutcome, Caller, ProviderSync};
use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        location::Location,
    },
    id::{BookingId, ConnectionId, CustomerId, EventTypeId, ListingId, MemberId, SeriesId},
    outbound::provider::Attendee,
    plugins::manifest::BUILTIN,
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::{
        catalog::{event_types, listings, members, schemas},
        customers,
    },
    http::{
        app::App,
        contacts::{Anything, Email, Phone, Words},
        etag,
    },
};

/// The customer. In answers, e-mail address and number are masked (`a***@***`, `***00`) for a key without the scope `customers:read`, and so are those
/// of guests and what stands in answers and notes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Person {
    #[schema(example = "Ada Nowak")]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    email: Option<Email>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "+48600100200")]
    phone: Option<Phone>,
    /// IANA zone.
    #[schema(example = "Europe/Warsaw")]
    time_zone: String,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

impl Person {
    /// Can nobody tell them anything?
    pub(super) const fn is_unreachable(&self) -> bool {
        self.email.is_none() && self.phone.is_none()
    }
}

impl From<Person> for Attendee {
    fn from(p: Person) -> Self {
        let (email, phone) = (p.email.map(|email| email.0), p.phone.map(|phone| phone.0));
        Self { name: p.name, email, phone, time_zone: p.time_zone, language: p.language }
    }
}
impl From<Attendee> for Person {
    fn from(a: Attendee) -> Self {
        let (email, phone) = (a.email.map(Email), a.phone.map(Phone));
        Self { name: a.name, email, phone, time_zone: a.time_zone, language: a.language }
    }
}

/// How delivery of a booking to its provider stands.
#[derive(Debug, Serialize, ToSchema)]
struct SyncView {
    /// `waiting` for its next try, `running`, or a `dead_letter`: given up, until somebody requeues it (`requeue` of operations);
    /// `paused`, until its connection is resumed; `not_told`: its connection is disconnected, and changes are made here alone.
    state: &'static str,
    /// Tries so far, one that is under way included.
    tries: i64,
    /// Why the last one did not succeed.
    #[schema(value_type = Option<String>)]
    last_error: Option<Words>,
    /// When it is tried next, if it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try_at: Option<Instant>,
}

impl From<ProviderSync> for SyncView {
    fn from(sync: ProviderSync) -> Self {
        let ProviderSync { state, tries, last_error, next_try_at } = sync;
        Self { state: state.as_str(), tries, last_error: last_error.map(Words), next_try_at }
    }
}

/// What ids of a booking stand for, as far as it was asked for. Null: it is not there any more.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Expanded {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<event_types::View>)]
    pub(super) event_type: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<members::View>)]
    pub(super) member: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<listings::View>)]
    pub(super) listing: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<customers::View>)]
    pub(super) customer: Option<Value>,
}

/// A booking as a provider knows it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExternalRef {
    #[schema(value_type = String)]
    connection_id: ConnectionId,
    /// Name of the provider.
    provider: String,
    /// Its id there.
    external_id: String,
}

impl ExternalRef {
    pub(super) const fn of(connection_id: ConnectionId, provider: String, external_id: String) -> Self {
        Self { connection_id, provider, external_id }
    }
}

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookingView {
    #[schema(value_type = String)]
    id: BookingId,
    /// `berth`: it was made here, or adopted.
    #[schema(value_type = String, pattern = "^berth$")]
    origin: &'static str,
    /// Its counterpart at the provider, if it has one.
    external: Option<ExternalRef>,
    #[schema(value_type = String)]
    #[serde(rename = "listing_id")]
    pub(super) listing: ListingId,
    #[schema(value_type = String)]
    #[serde(rename = "event_type_id")]
    pub(super) event_type: EventTypeId,
    /// Who it is with: the organiser.
    #[schema(value_type = String)]
    #[serde(rename = "member_id")]
    pub(super) member: MemberId,
    /// Who takes part besides the organiser.
    #[schema(value_type = Vec<String>)]
    #[serde(rename = "other_member_ids")]
    other_members: Vec<MemberId>,
    /// Seats of its meeting that it takes; 1 where nobody shares it.
    seats_taken: u32,
    /// The series that it is an occurrence of; null for a single booking.
    #[schema(value_type = Option<String>)]
    #[serde(rename = "series_id")]
    series: Option<SeriesId>,
    /// Why the organiser was chosen: `strategy`, `reason`, `runners_up`.
    #[schema(value_type = Option<Object>)]
    assignment: Option<Value>,
    /// Name of the provider that it is booked at; `builtin` for Berth alone. Null only while the database does not say it.
    provider: Option<String>,
    /// Connection it is booked over; null for the built-in provider.
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    /// `pending`, `confirmed`, `cancelled`, `failed`, `completed`, `no_show`.
    #[schema(value_type = String)]
    status: BookingStatus,
    /// What is still to be delivered to the provider: `create`, `cancel`, `reschedule`, `update`, `reassign`; null when both sides agree.
    #[schema(value_type = Option<String>)]
    provider_task: Option<ProviderTask>,
    /// Why the provider does not have it yet, or will not get it any more; null when both sides agree.
    provider_sync: Option<SyncView>,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    /// Whom it is for: one customer, whichever names and addresses their bookings were made with. Null for one from before there were
    /// customers, until it is given one in the background.
    #[schema(value_type = Option<String>)]
    pub(super) customer_id: Option<CustomerId>,
    /// The customer, as they were named with the booking.
    attendee: Person,
    #[schema(value_type = Vec<String>)]
    guests: Vec<Email>,
    #[schema(value_type = Object)]
    answers: Anything,
    #[schema(value_type = Option<String>)]
    notes: Option<Words>,
    /// Where it takes place, as it was chosen among the event type's locations; null: nothing was to choose.
    #[schema(value_type = Option<schemas::Location>)]
    location: Option<Location>,
    /// Where people meet on the web: the link that was chosen, or what the provider gave it.
    meeting_url: Option<String>,
    /// What other programs keep with it.
    #[schema(value_type = Object)]
    metadata: Anything,
    /// What was changed here alone although its provider has it otherwise: `attendee`, `guests`, `answers`, `notes`, `location`, `member`, `seats_taken`.
    local_changes: Vec<String>,
    /// Why it was cancelled or failed, or why its provider refused the last change.
    #[schema(value_type = Option<String>)]
    reason: Option<Words>,
    /// Its id at the provider.
    external_id: Option<String>,
    /// When it was last moved to another time; null: never, or only asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    rescheduled_at: Option<Instant>,
    /// Counts changes; the `ETag`.
    sequence: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// What `expand` asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expanded: Option<Expanded>,
}

impl From<Booking> for BookingView {
    fn from(b: Booking) -> Self {
        let meeting_url = b.meeting_url().map(str::to_owned);
        Self {
            id: b.id,
            origin: "berth",
            external: None,
            listing: b.listing,
            event_type: b.event_type,
            member: b.member,
            other_members: b.other_members,
            seats_taken: b.seats_taken,
            series: b.series,
            assignment: b.assignment,
            provider: None,
            connection_id: b.connection,
            status: b.status,
            provider_task: b.provider_task,
            provider_sync: None,
            start: b.when.start(),
            end: b.when.end(),
            customer_id: b.customer,
            attendee: b.attendee.into(),
            guests: b.guests.into_iter().map(Email).collect(),
            answers: Anything(Value::Object(b.answers)),
            notes: b.notes.map(Words),
            meeting_url,
            location: b.location,
            metadata: Anything::of(&b.metadata),
            local_changes: b.local_changes,
            reason: b.reason.map(Words),
            external_id: b.external_id,
            rescheduled_at: b.rescheduled_at,
            sequence: b.sequence,
            created_at: b.created_at,
            updated_at: b.updated_at,
            expanded: None,
        }
    }
}

/// Bookings as they are shown, with how each stands at its provider.
pub(crate) async fn views(app: &App, caller: &Caller, bookings: Vec<Booking>) -> Vec<BookingView> {
    let mut syncs = app.engine().jobs.provider_sync(caller, &bookings).await;
    let providers = app.engine().connections.providers_of(caller, &bookings).await;
    let view = |booking: Booking| {
        let provider_sync = syncs.remove(&booking.id).map(Into::into);
        let provider = match booking.connection {
            None => Some(BUILTIN.to_owned()),
            Some(id) => providers.get(&id).map(ToString::to_string),
        };
        let external = match (booking.connection, &provider, &booking.external_id) {
            (Some(connection), Some(provider), Some(id)) => {
                Some(ExternalRef::of(connection, provider.clone(), id.clone()))
            }
            _ => None,
        };
        BookingView { external, provider, provider_sync, ..booking.into() }
    };
    bookings.into_iter().map(view).collect()
}

pub(crate) async fn tagged(app: &App, caller: &Caller, status: StatusCode, booking: Booking) -> Response {
    let sequence = booking.sequence;
    let view = views(app, caller, vec![booking]).await.pop();
    etag::tagged(status, sequence, view)
}

/// 202 while the provider has not answered: the booking is safe, and its state says how it goes on.
pub(crate) async fn accepted(app: &App, caller: &Caller, outcome: BookOutcome, done: StatusCode) -> Response {
    tagged(app, caller, if outcome.pending { StatusCode::ACCEPTED } else { done }, outcome.booking).await
}
