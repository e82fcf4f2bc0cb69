//! Holds and bookings by people without a key.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_engine::{BookRequest, ConsentEvidence, GiveConsent, HoldClaim, HoldRequest};
use berth_model::{
    bookings::hold::HoldRecord,
    connections::secret::Secret,
    id::{ConsentTextId, EventTypeId, HoldId, MemberId},
    limits::HOLD_SECONDS,
    problem::{Code, FieldError, Problem},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Hold,
    manage::{ManagedView, for_customers},
    view::Person,
};
use crate::{
    api::described::{Described, routes},
    http::{
        app::App,
        extract::{Json as Body, Path},
        problem::{ApiResult, ProblemDocument},
        public::Visitor,
        request_id::RequestId,
        source::Source,
    },
};

/// Routes without a key, of one tenant.
pub(in crate::api) fn public() -> Described {
    Described::new()
        .routes(routes!(hold))
        .routes(routes!(extend))
        .routes(routes!(release))
        .routes(routes!(book))
}

/// A slot to be held.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPublicHold {
    #[schema(value_type = String)]
    event_type_id: EventTypeId,
    /// When it starts (RFC 3339): one of the offered slots.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T09:00:00Z")]
    start: Instant,
    /// One of the event type's lengths; absent: its own.
    #[serde(default)]
    length_minutes: Option<u32>,
    /// With whom; absent: whoever is free.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// The token of a private link to the event type; for one that is not public.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    link: Option<Secret>,
}

/// A hold. Not to be printed.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublicHold {
    #[schema(value_type = String)]
    id: HoldId,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    /// From then on it keeps nothing.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    /// To extend it, to give it back and to book it; shown when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl PublicHold {
    fn of(hold: &HoldRecord, token: Option<&Secret>) -> Self {
        Self {
            id: hold.id,
            start: hold.when.start(),
            end: hold.when.end(),
            expires_at: hold.expires_at,
            token: token.map(|token| token.expose().to_owned()),
        }
    }
}

/// Hold a slot for five minutes, while a form is filled in: at most three at a time from one address. Who is refused books without.
#[utoipa::path(post, path = "/api/public/{tenant}/holds", tag = "public", operation_id = "public_hold_create", security(()), request_body = NewPublicHold,
    params(("tenant" = String, Path)),
    responses((status = 201, body = PublicHold), (status = 403, body = ProblemDocument, description = "Sent by a page that is not one of the business"),
        (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "Not available; `reason` says why, `alternatives` names the nearest starts"),
        (status = 410, body = ProblemDocument, description = "The link is over: `state` says why"), (status = 422, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
pub(crate) async fn hold(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    Body(new): Body<NewPublicHold>,
) -> ApiResult<Response> {
    let caller = visitor.caller(&request_id);
    app.engine().catalog.offered_event_type(&caller, new.event_type_id, new.link.as_ref()).await?;
    let now = app.engine().now();
    let ticket = app.visits().hold(visitor.network, now, now.plus_seconds(HOLD_SECONDS))?;
    let request = HoldRequest {
        event_type: new.event_type_id,
        start: new.start,
        length_minutes: new.length_minutes,
        member: new.member_id,
        seconds: None,
        token: None,
    };
    let made = app.engine().bookings.hold(&caller, request).await;
    app.visits().held(visitor.network, ticket, made.as_ref().ok().map(|(hold, _)| hold.id));
    let (hold, token) = made.map_err(for_visitors)?;
    Ok((StatusCode::CREATED, Json(PublicHold::of(&hold, Some(&token)))).into_response())
}

/// Whose a hold is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Holder {
    /// As it was shown when the hold was made.
    #[schema(value_type = String)]
    token: Secret,
}

/// Keep a hold for another five minutes from now; at most an hour in all.
#[utoipa::path(post, path = "/api/public/{tenant}/holds/{id}/extend", tag = "public", operation_id = "public_hold_extend", security(()), request_body = Holder,
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = PublicHold), (status = 403, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "It is over, or was never there"),
        (status = 422, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
pub(crate) async fn extend(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    Path(path): Path<(String, HoldId)>,
    Body(holder): Body<Holder>,
) -> ApiResult<Json<PublicHold>> {
    let (_, id) = path;
    let claim = HoldClaim { id, token: holder.token };
    let hold = app.engine().bookings.extend_hold(&visitor.caller(&request_id), &claim, None).await?;
    app.visits().extended(visitor.network, id, hold.expires_at);
    Ok(Json(PublicHold::of(&hold, None)))
}

/// Give a hold's time back.
#[utoipa::path(post, path = "/api/public/{tenant}/holds/{id}/release", tag = "public", operation_id = "public_hold_release", security(()), request_body = Holder,
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 409, body = ProblemDocument, description = "It is over, or was never there"), (status = 429, body = ProblemDocument)))]
pub(crate) async fn release(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    Path(path): Path<(String, HoldId)>,
    Body(holder): Body<Holder>,
) -> ApiResult<StatusCode> {
    let (_, id) = path;
    let claim = HoldClaim { id, token: holder.token };
    app.engine().bookings.give_hold_back(&visitor.caller(&request_id), &claim).await?;
    app.visits().hold_ended(visitor.network, id);
    Ok(StatusCode::NO_CONTENT)
}

/// A booking to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPublicBooking {
    #[schema(value_type = String)]
    event_type_id: EventTypeId,
    /// When it starts (RFC 3339): one of the offered slots.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T09:00:00Z")]
    start: Instant,
    /// One of the event type's lengths; absent: its own.
    #[serde(default)]
    length_minutes: Option<u32>,
    /// With whom; absent: whoever is free.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// The hold that the booking takes over: `start` must be its start.
    #[serde(default)]
    hold: Option<Hold>,
    /// The token of a private link to the event type; for one that is not public.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    link: Option<Secret>,
    /// Who books, with an e-mail address or a telephone number.
    attendee: Person,
    /// E-mail addresses of further guests.
    #[serde(default)]
    guests: Vec<String>,
    /// Answers to what is asked.
    #[serde(default)]
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    #[serde(default)]
    notes: Option<String>,
    /// Where, by the `key` of one of the event type's locations; needed where there are several.
    #[serde(default)]
    location: Option<String>,
    /// What the customer agrees to, each purpose once: written with the booking, or nothing is booked. A booking needs none.
    #[serde(default)]
    #[schema(max_items = 5)]
    consents: Vec<BookingConsent>,
    /// To be left empty. A form has it where nobody sees it, and programs that fill in all fields give themselves away.
    #[serde(default)]
    website: String,
}

/// A consent that is given with a booking.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "purpose": "marketing", "text_id": "0193b3f0-0000-7000-8000-000000000004" }))]
pub(crate) struct BookingConsent {
    /// `data_sync`, `appointment_history`, `contact_info`, `service_preferences`, `marketing`.
    purpose: String,
    /// The text that they read (`/api/privacy/texts`): for this purpose.
    #[schema(value_type = String)]
    text_id: ConsentTextId,
    /// The language in which they read it, if it is to be checked.
    #[serde(default)]
    language: Option<String>,
}

impl BookingConsent {
    /// Given now, from here.
    fn given(self, source: Source, headers: &HeaderMap) -> GiveConsent {
        let user_agent = headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok());
        let evidence = ConsentEvidence {
            source: CONSENT_SOURCE.to_owned(),
            ip_address: source.0,
            user_agent: user_agent.filter(|name| !name.trim().is_empty()).map(str::to_owned),
        };
        let Self { purpose, text_id: text, language } = self;
        GiveConsent { purpose, text, language, expires_at: None, evidence }
    }
}

/// Where consents are given that come with a booking.
const CONSENT_SOURCE: &str = "booking form";

/// A booking that was made, and how its customer comes back to it. Not to be printed.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublicBooking {
    #[serde(flatten)]
    booking: ManagedView,
    /// For `/api/booking/manage/{token}`: to see, move and cancel it. Whoever has it acts as the customer.
    manage_token: String,
    /// The whole address; null if the engine does not know its own.
    manage_url: Option<String>,
}

/// Book a slot. Send an `Idempotency-Key`, so that a repeat after a lost answer makes no second booking.
#[utoipa::path(post, path = "/api/public/{tenant}/bookings", tag = "public", operation_id = "public_booking_create", security(()), request_body = NewPublicBooking,
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Repeats with the same key and body get the first answer")),
    responses((status = 201, body = PublicBooking, description = "Booked, or waiting for the business to confirm it (`status`)"),
        (status = 202, body = PublicBooking, description = "Accepted; it is not confirmed everywhere yet"),
        (status = 403, body = ProblemDocument, description = "Sent by a page that is not one of the business"), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument, description = "Not available; `reason` says why, `alternatives` names the nearest starts"),
        (status = 410, body = ProblemDocument, description = "The link is over: `state` says why"), (status = 422, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
pub(crate) async fn book(
    State(app): State<App>,
    visitor: Visitor,
    request_id: RequestId,
    source: Source,
    headers: HeaderMap,
    Body(new): Body<NewPublicBooking>,
) -> ApiResult<Response> {
    let caller = visitor.caller(&request_id);
    if !new.website.is_empty() {
        return Err(Problem::new(Code::LooksAutomated, "A field was filled in that nobody sees.").into());
    }
    if new.attendee.is_unreachable() {
        let message = "is required, unless there is a phone number";
        return Err(Problem::invalid(vec![FieldError::new("/attendee/email", message)]).into());
    }
    let given = new.consents.into_iter().map(|consent| consent.given(source, &headers)).collect();
    let consents = app.engine().privacy.consents_of_booking(&caller, given).await?;
    let bookings = &app.engine().bookings;
    let limit = (visitor.tenant.id, visitor.tenant.settings.public_bookings_per_hour);
    app.visits().booking(visitor.network, limit, app.engine().now())?;
    let held = new.hold.as_ref().map(|hold| hold.id);
    let link = new.link.clone();
    let request = BookRequest {
        event_type: new.event_type_id,
        start: new.start,
        length_minutes: new.length_minutes,
        member: new.member_id,
        hold: new.hold.map(|hold| HoldClaim { id: hold.id, token: hold.token }),
        provider: None,
        attendee: new.attendee.into(),
        guests: new.guests,
        answers: new.answers,
        notes: new.notes,
        location: new.location,
        allow_blocked: false,
        metadata: BTreeMap::new(),
        consents,
    };
    let made = bookings.book_offered(&caller, request, link.as_ref()).await;
    let outcome = match made {
        Ok(outcome) => outcome,
        Err(problem) => {
            app.visits().not_booked(visitor.network, limit);
            return Err(for_visitors(problem).into());
        }
    };
    if let Some(hold) = held {
        app.visits().hold_ended(visitor.network, hold);
    }
    let id = outcome.booking.id;
    let link = bookings.manage_link(&caller, id).await?;
    let shown = PublicBooking {
        booking: bookings.managed(&caller, id).await?.into(),
        manage_token: link.token.expose().to_owned(),
        manage_url: link.url.map(|url| url.expose().to_owned()),
    };
    let status = if outcome.pending { StatusCode::ACCEPTED } else { StatusCode::CREATED };
    Ok((status, Json(shown)).into_response())
}

/// A refusal as somebody without a key is told it: with nothing that only the business can do something about.
fn for_visitors(problem: Problem) -> Problem {
    let mut problem = for_customers(problem);
    if problem.code == Code::SlotTaken {
        problem.hint = Some("Choose one of the alternatives, or ask for the current slots.".to_owned());
    }
    problem
}
