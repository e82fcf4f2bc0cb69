//! What event types look like on the wire.

use berth_engine::{Counterpart, DuplicateEventType, EventTypePatch, NewEventType};
use berth_model::{
    catalog::event_type::{CounterpartState, EventTypeCounterpart, EventTypePolicy, EventTypeRecord},
    id::{ConnectionId, EventTypeId, ListingId, MemberId},
    limits,
    problem::{FieldError, Problem},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::rules::Rules;
use crate::api::{catalog::schemas, nullable};

/// An event type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventType)]
pub(crate) struct View {
    #[schema(value_type = String)]
    id: EventTypeId,
    #[schema(value_type = String)]
    #[serde(rename = "listing_id")]
    listing: ListingId,
    slug: String,
    title: String,
    description: String,
    /// Length unless the customer chooses one of `policy.other_lengths_minutes`.
    length_minutes: u32,
    /// Distance between starts; null: the length.
    slot_interval_minutes: Option<u32>,
    buffer_before_minutes: u32,
    buffer_after_minutes: u32,
    minimum_notice_minutes: u32,
    /// Latest start, in days from today, unless `policy.booking_window` says otherwise.
    booking_window_days: u32,
    /// Who can be booked, by priority.
    #[schema(value_type = Vec<String>)]
    #[serde(rename = "member_ids")]
    members: Vec<MemberId>,
    #[schema(value_type = schemas::EventTypePolicy)]
    policy: EventTypePolicy,
    /// Its counterpart at the provider that the listing is booked over.
    external_id: Option<String>,
    /// Its counterparts at providers, one for each connection.
    #[schema(value_type = Vec<schemas::EventTypeCounterpart>)]
    external: Vec<EventTypeCounterpart>,
    /// How it stands there; null where the listing is booked with Berth alone.
    provider_event_type: Option<ProviderEventType>,
    active: bool,
    /// When it was closed: it is not active then, and stays for its bookings. `active: true` takes it up again.
    #[schema(value_type = Option<String>, format = DateTime)]
    archived_at: Option<Instant>,
    /// Counts changes; the `ETag`.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// An event type to be made.
#[expect(clippy::option_option, reason = "absent and null mean different things")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEventType, example = json!({
    "listing_id": "0193b3f0-0000-7000-8000-000000000001", "slug": "consultation", "title": "Consultation", "length_minutes": 30,
    "buffer_after_minutes": 10, "minimum_notice_minutes": 120, "member_ids": ["0193b3f0-0000-7000-8000-000000000002"],
    "policy": {
        "other_lengths_minutes": [60],
        "limits": [{ "per": "day", "max_bookings": 6 }],
        "price": { "minor_units": 4_900, "currency": "EUR" },
        "questions": [{ "key": "reason", "label": "What is it about?", "type": "long_text", "required": true }],
        "cancel_cutoff_minutes": 1_440,
    },
}))]
pub(crate) struct New {
    #[schema(value_type = String)]
    #[serde(rename = "listing_id")]
    listing: ListingId,
    /// Name in URLs, unique within the listing: 2 to 64 of a-z, 0-9 and -.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$")]
    slug: String,
    /// Name for people, 1 to 200 characters; `name` is read as well.
    #[serde(alias = "name")]
    title: String,
    /// Free text for customers, at most 4000 characters.
    #[serde(default)]
    description: String,
    /// 1 to 1440; the length unless the customer chooses one of `policy.other_lengths_minutes`. `duration_minutes` is read as well.
    #[serde(alias = "duration_minutes")]
    #[schema(minimum = 1, maximum = 1440)]
    length_minutes: u32,
    /// Distance between starts, 1 to 1440; null: the length.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1440)]
    slot_interval_minutes: Option<u32>,
    /// Time kept free before each booking, at most a day.
    #[serde(default)]
    #[schema(maximum = 1440)]
    buffer_before_minutes: u32,
    /// Time kept free after each booking, at most a day.
    #[serde(default)]
    #[schema(maximum = 1440)]
    buffer_after_minutes: u32,
    /// Shortest time from now to a start, at most 90 days.
    #[serde(default)]
    #[schema(maximum = 129_600)]
    minimum_notice_minutes: u32,
    /// Latest start, in days from today (60), unless `policy.booking_window` says otherwise.
    #[serde(default = "sixty")]
    #[schema(maximum = 730)]
    booking_window_days: u32,
    /// Who can be booked, by priority: 1 to 100 members of the team. Absent: nobody yet, and nothing is offered until somebody is added
    /// (`POST /api/booking/team` with `event_type_ids`, or a change of this).
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100)]
    #[serde(rename = "member_ids")]
    members: Option<Vec<MemberId>>,
    /// What it costs; the same as `policy.price`. A bare number (or a decimal text) is of large units of the listing's currency, or else the
    /// tenant's: 49.90, or 5000 of a currency without decimals.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<schemas::Price>)]
    price: Option<Option<Value>>,
    /// What the customer is asked; the same as `policy.questions`. `custom_questions` is read as well, as is `id` for a question's `key`.
    #[serde(default, deserialize_with = "nullable", alias = "custom_questions")]
    #[schema(value_type = Option<Vec<schemas::Question>>)]
    questions: Option<Option<Value>>,
    #[serde(default)]
    #[schema(value_type = Option<schemas::EventTypePolicy>)]
    policy: Option<Map<String, Value>>,
    /// Its counterpart at the provider, for a listing that is booked there.
    #[serde(default)]
    external_id: Option<String>,
    /// Its counterparts, one for each connection that it may be booked over; at most 20. `external_id` is that of the listing's own connection.
    #[serde(default)]
    #[schema(value_type = Option<Vec<schemas::EventTypeCounterpart>>)]
    external: Option<Vec<EventTypeCounterpart>>,
}

/// Changes of an event type. Absent fields stay as they are.
#[expect(clippy::option_option, reason = "absent and null mean different things in a patch")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EventTypePatch)]
pub(crate) struct Patch {
    slug: Option<String>,
    #[serde(alias = "name")]
    title: Option<String>,
    description: Option<String>,
    #[serde(alias = "duration_minutes")]
    length_minutes: Option<u32>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<u32>)]
    slot_interval_minutes: Option<Option<u32>>,
    buffer_before_minutes: Option<u32>,
    buffer_after_minutes: Option<u32>,
    minimum_notice_minutes: Option<u32>,
    booking_window_days: Option<u32>,
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100)]
    #[serde(rename = "member_ids")]
    members: Option<Vec<MemberId>>,
    /// What it costs; the same as `policy.price`. A bare number (or a decimal text) is of large units of the listing's currency, or else the
    /// tenant's: 49.90, or 5000 of a currency without decimals.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<schemas::Price>)]
    price: Option<Option<Value>>,
    /// What the customer is asked; the same as `policy.questions`. `custom_questions` is read as well, as is `id` for a question's `key`.
    #[serde(default, deserialize_with = "nullable", alias = "custom_questions")]
    #[schema(value_type = Option<Vec<schemas::Question>>)]
    questions: Option<Option<Value>>,
    /// Its absent members stay as they are, too; null sets the default of a member.
    #[schema(value_type = Option<schemas::EventTypePolicy>)]
    policy: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<String>>,
    /// All of them, in place of those before.
    #[schema(value_type = Option<Vec<schemas::EventTypeCounterpart>>)]
    external: Option<Vec<EventTypeCounterpart>>,
    active: Option<bool>,
}

impl New {
    pub(super) const fn listing(&self) -> ListingId {
        self.listing
    }

    pub(super) fn rules(&mut self) -> Rules {
        Rules { policy: self.policy.take(), price: self.price.take(), questions: self.questions.take() }
    }

    /// What is to be made, with these rules.
    pub(super) fn with_policy(self, policy: EventTypePolicy) -> Result<NewEventType, Problem> {
        let new = self;
        if new.members.as_ref().is_some_and(Vec::is_empty) {
            return Err(no_member());
        }
        Ok(NewEventType {
            listing: new.listing,
            slug: new.slug,
            title: new.title,
            description: new.description,
            length_minutes: new.length_minutes,
            slot_interval_minutes: new.slot_interval_minutes,
            buffer_before_minutes: new.buffer_before_minutes,
            buffer_after_minutes: new.buffer_after_minutes,
            minimum_notice_minutes: new.minimum_notice_minutes,
            booking_window_days: new.booking_window_days,
            members: new.members.unwrap_or_default(),
            policy,
            external_id: new.external_id,
            external: new.external,
        })
    }
}

/// Whoever names members names some.
fn no_member() -> Problem {
    let most = limits::EVENT_TYPE_MEMBERS_MAX;
    Problem::invalid(vec![FieldError::new("/member_ids", format!("must have 1 to {most} items"))])
}

impl Patch {
    pub(super) fn rules(&mut self) -> Rules {
        Rules { policy: self.policy.take(), price: self.price.take(), questions: self.questions.take() }
    }

    /// The changes, with the policy as a whole.
    pub(super) fn with_policy(self, policy: Option<EventTypePolicy>) -> Result<EventTypePatch, Problem> {
        if self.members.as_ref().is_some_and(Vec::is_empty) {
            return Err(no_member());
        }
        Ok(EventTypePatch {
            slug: self.slug,
            title: self.title,
            description: self.description,
            length_minutes: self.length_minutes,
            slot_interval_minutes: self.slot_interval_minutes,
            buffer_before_minutes: self.buffer_before_minutes,
            buffer_after_minutes: self.buffer_after_minutes,
            minimum_notice_minutes: self.minimum_notice_minutes,
            booking_window_days: self.booking_window_days,
            members: self.members,
            policy,
            external_id: self.external_id,
            external: self.external,
            active: self.active,
        })
    }
}

/// How an event type stands at the provider that its listing is booked over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderEventType {
    /// Over which connection.
    #[schema(value_type = String)]
    #[serde(rename = "connection_id")]
    connection: ConnectionId,
    #[schema(value_type = schemas::CounterpartState)]
    state: CounterpartState,
    /// The same for people.
    detail: &'static str,
}

impl View {
    pub(crate) fn of(r: EventTypeRecord, counterpart: Option<Counterpart>) -> Self {
        let own = counterpart.map(|counterpart| counterpart.connection);
        let external_id =
            own.map_or_else(|| r.external_id.clone(), |own| r.external_over(own).map(str::to_owned));
        let external = match (own, &external_id) {
            (Some(connection_id), Some(id)) if r.external.is_empty() => {
                vec![EventTypeCounterpart { connection_id, external_id: id.clone() }]
            }
            _ => r.external,
        };
        Self {
            id: r.id,
            listing: r.listing,
            slug: r.slug,
            title: r.title,
            description: r.description,
            length_minutes: r.length_minutes,
            slot_interval_minutes: r.slot_interval_minutes,
            buffer_before_minutes: r.buffer_before_minutes,
            buffer_after_minutes: r.buffer_after_minutes,
            minimum_notice_minutes: r.minimum_notice_minutes,
            booking_window_days: r.booking_window_days,
            members: r.members,
            policy: r.policy,
            external_id,
            external,
            provider_event_type: counterpart.map(|counterpart| ProviderEventType {
                connection: counterpart.connection,
                state: counterpart.state,
                detail: counterpart.state.detail(),
            }),
            active: r.active,
            archived_at: r.archived_at,
            revision: r.revision,
            created_at: r.created_at,
            updated_at: r.updated_at,
        }
    }
}

const fn sixty() -> u32 {
    60
}

/// A copy to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DuplicateEventType, example = json!({ "slug": "consultation-online" }))]
pub(crate) struct Duplicate {
    /// Name in URLs, unique within the listing: 2 to 64 of a-z, 0-9 and -.
    slug: String,
    /// The original's if absent.
    #[serde(default)]
    title: Option<String>,
    /// The original's if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[serde(rename = "listing_id")]
    listing: Option<ListingId>,
}

impl From<Duplicate> for DuplicateEventType {
    fn from(copy: Duplicate) -> Self {
        Self { slug: copy.slug, title: copy.title, listing: copy.listing }
    }
}
