//! Changing what is written on a booking, its guests, and whom it is given to.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode, response::Response};
use berth_engine::{Caller, EditBooking, ReassignBooking};
use berth_model::{
    bookings::{booking::Booking, edit::Contents},
    id::{BookingId, MemberId},
    json::{merged, pointer_part},
    problem::{FieldError, Problem},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::view::{BookingView, Person, accepted};
use crate::{
    api::nullable,
    http::{
        app::App,
        auth::AsTenant,
        contacts::Reader,
        extract::{IfMatch, Json as Body, Path, Query, malformed},
        problem::{ApiResult, ProblemDocument},
    },
};

/// Changes of a booking (RFC 7396): absent fields stay as they are, null removes, and so within `attendee`, `answers` and `metadata`.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookingPatch, example = json!({
    "notes": "Needs the ramp.", "attendee": { "phone": "+48600100200" }, "guests": ["bea@example.com"],
    "answers": { "reason": "A second opinion" }, "metadata": { "order": "A-1043", "campaign": null },
}))]
pub(crate) struct Patch {
    /// At most 4000 characters.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    notes: Option<Option<String>>,
    /// A changed name, mailbox or number may make it the booking of another customer, by the rules by which customers are known.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Person>)]
    attendee: Option<Option<Map<String, Value>>>,
    /// E-mail addresses, all of them: at most 20, each once.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    guests: Option<Option<Vec<String>>>,
    /// Answers to the event type's questions.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    answers: Option<Option<Map<String, Value>>>,
    /// Where, by the `key` of one of the event type's locations.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    location: Option<Option<String>>,
    /// What other programs keep with it: at most 50 keys of 40 characters, with texts of 500. No provider is told of it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Option<Map<String, Value>>>,
    /// Seats of its meeting that it takes, where customers share it: 1 to as many as the event type had when it was booked, and at most 50. More
    /// are taken with the change or not at all. `seats` is read as well.
    #[serde(default, alias = "seats")]
    #[schema(minimum = 1, maximum = 50)]
    seats_taken: Option<u32>,
    /// Change it here alone, where a provider has it, and do not tell the provider. What differs is in `local_changes` then.
    #[serde(default)]
    local_only: bool,
}

/// Further guests, or some fewer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "guests": ["bea@example.com"] }))]
pub(crate) struct Guests {
    /// E-mail addresses: none that takes part already, and at most 20 with those that are there.
    guests: Vec<String>,
    /// See the booking's `local_changes`.
    #[serde(default)]
    local_only: bool,
}

/// Who is not a guest any more.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct GuestParams {
    /// Their e-mail address.
    email: String,
    /// See the booking's `local_changes`.
    #[serde(default)]
    local_only: bool,
}

/// Whom it is given to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reassign {
    /// A member of the event type; absent: whoever else is free and next by the event type's strategy.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// Give it to them here alone, where a provider has it.
    #[serde(default)]
    local_only: bool,
}

/// `current` with these in place of its own; null removes.
fn laid_over(current: Map<String, Value>, changes: Option<Map<String, Value>>) -> Map<String, Value> {
    let Some(changes) = changes else { return Map::new() };
    let mut laid = current;
    for (name, value) in changes {
        if value.is_null() {
            laid.remove(&name);
        } else {
            laid.insert(name, value);
        }
    }
    laid
}

impl Patch {
    /// What is written on this booking with these changes.
    fn over(self, booking: &Booking) -> ApiResult<Contents> {
        let mut contents = Contents::of(booking);
        if let Some(changes) = self.attendee {
            let nobody = || Problem::invalid(vec![FieldError::new("/attendee", "cannot be removed")]);
            let changes = changes.ok_or_else(nobody)?;
            let person = Person::from(contents.attendee);
            // Whoever changes it may not see it: what stands there stays.
            let laid = Reader::Here.is_written(|| merged(&person, changes, "/attendee"));
            contents.attendee = laid.map_err(malformed)?.into();
        }
        if let Some(guests) = self.guests {
            contents.guests = guests.unwrap_or_default();
        }
        if let Some(answers) = self.answers {
            contents.answers = laid_over(contents.answers, answers);
        }
        if let Some(notes) = self.notes {
            contents.notes = notes;
        }
        if let Some(metadata) = self.metadata {
            let current = contents.metadata.into_iter().map(|(key, value)| (key, value.into())).collect();
            contents.metadata = texts(laid_over(current, metadata))?;
        }
        Ok(contents)
    }
}

/// Metadata is texts.
pub(super) fn texts(metadata: Map<String, Value>) -> ApiResult<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    let mut wrong = Vec::new();
    for (key, value) in metadata {
        match value {
            Value::String(text) => {
                texts.insert(key, text);
            }
            _ => wrong.push(FieldError::new(
                format!("/metadata/{}", pointer_part(&key)),
                "must be a text, or null",
            )),
        }
    }
    if wrong.is_empty() { Ok(texts) } else { Err(Problem::invalid(wrong).into()) }
}

/// Change what is written on a booking that is to come: notes, attendee, guests, answers, metadata; and how many seats it takes (409, reason `seats`,
/// where so many are not left; no provider is told of that). One that is cancelled, failed or past is kept
/// as it was (`BERTH-E0562`). Calendars and invitations follow. A provider that has the booking is told of the rest but for metadata: 202 while it has not
/// answered (`provider_task` is `update`), and what it refuses is not changed here either. One that cannot be told by Berth (`BERTH-E0504`, with
/// the provider's `url`) keeps it from being changed, unless it is for here alone.
#[utoipa::path(patch, path = "/api/booking/{id}", operation_id = "bookings_update", tag = "bookings", request_body = Patch,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag that was read")),
    responses((status = 200, body = BookingView),
        (status = 202, body = BookingView, description = "Changed here, and still to be delivered to the provider"),
        (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn update(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
    Body(patch): Body<Patch>,
) -> ApiResult<Response> {
    let current = app.engine().bookings.booking(&caller, id).await?;
    let local_only = patch.local_only;
    let seats_taken = patch.seats_taken;
    let location = patch.location.clone();
    let mut contents = patch.over(&current)?;
    if let Some(key) = location {
        contents.location = app.engine().bookings.location(&caller, &current, key.as_deref()).await?;
    }
    written(&app, &caller, &current, expected_sequence, (contents, local_only, seats_taken)).await
}

/// The booking with this written on it. What it is laid over is still there, or nothing changes.
async fn written(
    app: &App,
    caller: &Caller,
    current: &Booking,
    expected_sequence: Option<i64>,
    (contents, local_only, seats_taken): (Contents, bool, Option<u32>),
) -> ApiResult<Response> {
    let expected_sequence = expected_sequence.or(Some(current.sequence));
    let edit = EditBooking { contents, local_only, seats_taken, expected_sequence };
    let outcome = app.engine().bookings.edit(caller, current.id, edit).await?;
    Ok(accepted(app, caller, outcome, StatusCode::OK).await)
}

/// Add guests to a booking that is to come. Who takes part already is refused.
#[utoipa::path(post, path = "/api/booking/{id}/guests", operation_id = "bookings_add_guests", tag = "bookings", request_body = Guests, params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = BookingView), (status = 202, body = BookingView), (status = 409, body = ProblemDocument),
        (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn add_guests(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
    Body(Guests { guests, local_only }): Body<Guests>,
) -> ApiResult<Response> {
    let current = app.engine().bookings.booking(&caller, id).await?;
    let mut contents = Contents::of(&current);
    contents.guests.extend(guests);
    written(&app, &caller, &current, expected_sequence, (contents, local_only, None)).await
}

/// Take a guest out of a booking that is to come. Whoever is none is no change.
#[utoipa::path(delete, path = "/api/booking/{id}/guests", operation_id = "bookings_remove_guest", tag = "bookings", params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path), GuestParams),
    responses((status = 200, body = BookingView), (status = 202, body = BookingView), (status = 409, body = ProblemDocument),
        (status = 412, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
pub(crate) async fn remove_guest(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
    Query(GuestParams { email, local_only }): Query<GuestParams>,
) -> ApiResult<Response> {
    let current = app.engine().bookings.booking(&caller, id).await?;
    let mut contents = Contents::of(&current);
    contents.guests.retain(|guest| guest.to_lowercase() != email.trim().to_lowercase());
    written(&app, &caller, &current, expected_sequence, (contents, local_only, None)).await
}

/// Give a booking to another member at the same time: who must be free, open and within their limits, as for a booking of their own. Without
/// `member_id`: whoever else is next. Links that the customer has stay valid. A provider that has the booking is told, as it is of a change of the
/// booking; a member is known there by their calendar that is connected over the booking's connection (`BERTH-E0565` where there is none).
#[utoipa::path(post, path = "/api/booking/{id}/reassign", operation_id = "bookings_reassign", tag = "bookings", request_body = Reassign, params(("If-Match" = Option<String>, Header, description = "ETag that was read"), ("id" = String, Path)),
    responses((status = 200, body = BookingView),
        (status = 202, body = BookingView, description = "Given to them here, and still to be delivered to the provider"),
        (status = 409, body = ProblemDocument, description = "Nobody can take it then; `reason` says why, `alternatives` names starts at which it could be"),
        (status = 422, body = ProblemDocument), (status = 412, body = ProblemDocument)))]
pub(crate) async fn reassign(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<BookingId>,
    IfMatch(expected_sequence): IfMatch,
    Body(Reassign { member_id: member, local_only }): Body<Reassign>,
) -> ApiResult<Response> {
    let reassign = ReassignBooking { member, local_only, expected_sequence };
    let outcome = app.engine().bookings.reassign(&caller, id, reassign).await?;
    Ok(accepted(&app, &caller, outcome, StatusCode::OK).await)
}
