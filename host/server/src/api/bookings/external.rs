//! Bookings that were made at providers, as they are shown: in lists beside ours, and each whole.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use berth_engine::{AdoptRequest, Caller, Listed, TheirBooking};
use berth_model::{
    id::{BookingId, ConnectionId, CustomerId, EventTypeId, ListingId, MemberId, MirroredId},
    outbound::provider::ExternalStatus,
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    expand::{Expandable, Ids},
    view::{BookingView, Expanded, ExternalRef, Person, tagged, views},
};
use crate::http::{
    app::App,
    auth::AsTenant,
    contacts::{Anything, Words},
    etag::located,
    extract::{Json as Body, Path},
    problem::{ApiResult, ProblemDocument},
};

/// A booking that was made at a provider, as the provider last said it. It cannot be changed here: adopt it, or change it there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExternalView {
    /// Its id here.
    #[schema(value_type = String)]
    id: MirroredId,
    /// `external`.
    #[schema(value_type = String, pattern = "^external$")]
    origin: &'static str,
    /// Where it was made.
    external: ExternalRef,
    /// Name of the provider.
    #[schema(value_type = String)]
    provider: String,
    #[schema(value_type = String)]
    connection_id: ConnectionId,
    /// Its id at the provider.
    external_id: String,
    /// The listing of its event type, or the one that the connection is for; null: neither is known.
    #[schema(value_type = Option<String>)]
    listing_id: Option<ListingId>,
    /// The event type here that stands for its own; null if none does, or several.
    #[schema(value_type = Option<String>)]
    event_type_id: Option<EventTypeId>,
    /// What it is of at the provider, by the provider's id.
    external_event_type_id: Option<String>,
    /// Whose time it takes here; null: nobody's, because it is over, is not known to be anybody's, or the rules of the connection say so.
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// Whom it is for, if somebody is named.
    #[schema(value_type = Option<String>)]
    customer_id: Option<CustomerId>,
    /// `pending`, `confirmed`, `cancelled`, `completed`, `no_show`.
    #[schema(value_type = String)]
    status: ExternalStatus,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    #[schema(value_type = Option<String>)]
    title: Option<Words>,
    /// Whom it is for, as the provider names them: the first of `attendees`.
    attendee: Option<Person>,
    /// All whom the provider names.
    attendees: Vec<Person>,
    /// Where it takes place, in the provider's words.
    #[schema(value_type = Option<String>)]
    place: Option<Words>,
    /// Why it was cancelled.
    #[schema(value_type = Option<String>)]
    reason: Option<Words>,
    /// The booking of ours that it is the counterpart of by now, where it was adopted since; null in lists.
    #[schema(value_type = Option<String>)]
    booking_id: Option<BookingId>,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When something of it was last seen to change.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// When it was last read.
    #[schema(value_type = String, format = DateTime)]
    last_synced_at: Instant,
    /// The provider's own JSON, whole, when one booking is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    raw: Option<Anything>,
    /// What `expand` asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded: Option<Expanded>,
}

impl From<TheirBooking> for ExternalView {
    fn from(theirs: TheirBooking) -> Self {
        let TheirBooking { listed, provider, event_type, listing } = theirs;
        let (mirrored, provider) = (listed.mirrored, provider.to_string());
        let external = mirrored.external;
        let person = |attendee: berth_model::outbound::provider::Attendee| Person::from(attendee);
        Self {
            id: mirrored.id,
            origin: "external",
            external: ExternalRef::of(mirrored.connection, provider.clone(), external.id.clone()),
            provider,
            connection_id: mirrored.connection,
            external_id: external.id,
            listing_id: listing,
            event_type_id: event_type,
            external_event_type_id: external.event_type,
            member_id: mirrored.member,
            customer_id: mirrored.customer,
            status: external.status,
            start: external.when.start(),
            end: external.when.end(),
            title: external.title.map(Words),
            attendee: external.attendees.first().cloned().map(person),
            attendees: external.attendees.into_iter().map(person).collect(),
            place: external.location.map(Words),
            reason: external.cancellation_reason.map(Words),
            booking_id: mirrored.booking,
            created_at: listed.created_at,
            updated_at: listed.updated_at,
            last_synced_at: mirrored.last_synced_at,
            raw: None,
            expanded: None,
        }
    }
}

/// What is in a list of bookings: which of both, says `origin`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ListedView {
    /// A booking of ours.
    Berth(Box<BookingView>),
    /// One that was made at a provider.
    External(Box<ExternalView>),
}

impl Expandable for ListedView {
    fn ids(&self) -> Ids {
        match self {
            Self::Berth(view) => view.ids(),
            Self::External(view) => Ids {
                event_type: view.event_type_id,
                member: view.member_id,
                listing: view.listing_id,
                customer: view.customer_id,
            },
        }
    }

    fn expand(&mut self, expanded: Expanded) {
        match self {
            Self::Berth(view) => view.expand(expanded),
            Self::External(view) => view.expanded = Some(expanded),
        }
    }
}

/// What is in a list, as it is shown, in its order.
pub(super) async fn listed(app: &App, caller: &Caller, items: Vec<Listed>) -> Vec<ListedView> {
    let mut ours = Vec::new();
    let mut shown = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Listed::Ours(booking) => {
                ours.push(*booking);
                shown.push(None);
            }
            Listed::Theirs(theirs) => {
                shown.push(Some(ListedView::External(Box::new(ExternalView::from(*theirs)))));
            }
        }
    }
    let mut ours = views(app, caller, ours).await.into_iter().map(|view| ListedView::Berth(Box::new(view)));
    shown.into_iter().filter_map(|view| view.or_else(|| ours.next())).collect()
}

/// A booking that was made at a provider, with the provider's own JSON (`raw`). Once it is adopted, `booking_id` says what it is here. Addresses
/// in it are masked without `customers:read`.
#[utoipa::path(get, path = "/api/booking/external/{id}", operation_id = "external_bookings_get", tag = "bookings", params(("id" = String, Path)),
    responses((status = 200, body = ExternalView), (status = 404, body = ProblemDocument)))]
pub(crate) async fn get(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<MirroredId>,
) -> ApiResult<Json<ExternalView>> {
    let theirs = app.engine().mirror.external_booking(&caller, id).await?;
    let raw: Value = theirs.listed.mirrored.external.raw.clone();
    Ok(Json(ExternalView { raw: Some(Anything(raw)), ..theirs.into() }))
}

/// What a booking becomes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Adoption {
    /// What it is of; absent: the event type that stands for the provider's own.
    #[schema(value_type = Option<String>)]
    event_type_id: Option<EventTypeId>,
    /// With whom; absent: whose time it takes, or the only member of the event type.
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
}

/// Make a booking ours that was made at a provider. Nothing is booked there: what stands there is the counterpart of the new booking, which from
/// then on is moved and cancelled like any other, on both sides. Whom it is for becomes a customer, and its time passes to it. Adopted twice it is
/// the same booking (200).
#[utoipa::path(post, path = "/api/booking/external/{id}/adopt", operation_id = "external_bookings_adopt", tag = "bookings", request_body = Adoption,
    params(("id" = String, Path)),
    responses((status = 201, body = BookingView, description = "It is ours"), (status = 200, body = BookingView, description = "It was adopted before"),
        (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument, description = "It is over, cancelled or gone, the counterpart of a booking of ours (`booking_id`), or its time is taken here"),
        (status = 422, body = ProblemDocument, description = "It is not known what it is of, or with whom: `candidates`")))]
pub(crate) async fn adopt(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    Path(id): Path<MirroredId>,
    Body(body): Body<Adoption>,
) -> ApiResult<Response> {
    let request = AdoptRequest { event_type: body.event_type_id, member: body.member_id };
    let (booking, is_new) = app.engine().mirror.adopt(&caller, id, request).await?;
    let location = format!("/api/booking/{}", booking.id);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(located(tagged(&app, &caller, status, booking).await, location))
}
