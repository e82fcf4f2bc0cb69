//! Typed ids: mixing a booking's id with a listing's is a compile error.
//!
//! An id is a UUID version 7 (RFC 9562): its time prefix keeps index pages warm, its 74 random bits keep it unguessable
//! enough for a name (it is never a permission). Text form: the hyphenated lower-case UUID.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{random::Random, time::Instant};

/// The id of a `T`. `T` is only a name: see the markers in this module.
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// A new id for something that came into being at `now`.
    #[must_use]
    pub fn new(now: Instant, random: &dyn Random) -> Self {
        let millis = u64::try_from(now.micros().div_euclid(1_000)).unwrap_or(0);
        let mut bytes = [0; 10];
        random.fill(&mut bytes);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid(), PhantomData)
    }

    /// The id with this UUID; for the store and the wire.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The UUID inside.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<T> FromStr for Id<T> {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self::from_uuid)
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident => $id:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        #[doc = concat!("Id of: ", stringify!($name), ".")]
        pub type $id = Id<$name>;
    )* };
}

markers! {
    /// A business that uses Berth, and the wall around its data.
    Tenant => TenantId,
    /// A place where a tenant offers event types.
    Listing => ListingId,
    /// Something that can be booked.
    EventType => EventTypeId,
    /// A person (or a room) whose time is booked.
    Member => MemberId,
    /// Hours that cut every member's hours.
    RestrictionSchedule => RestrictionScheduleId,
    /// Hours with a name, which others name.
    Schedule => ScheduleId,
    /// An availability rule.
    Rule => RuleId,
    /// A booking.
    Booking => BookingId,
    /// Somebody whom bookings are for.
    Customer => CustomerId,
    /// A text that people consent to.
    ConsentText => ConsentTextId,
    /// What a customer said of a purpose, once.
    Consent => ConsentId,
    /// The same change of many bookings.
    BulkOperation => BulkOperationId,
    /// Bookings that were made together and recur.
    Series => SeriesId,
    /// A link to an event type for whoever is given it.
    PrivateLink => PrivateLinkId,
    /// A place that is kept for somebody for some minutes.
    Hold => HoldId,
    /// A tenant's connection to a provider.
    Connection => ConnectionId,
    /// An API key.
    ApiKey => ApiKeyId,
    /// Work that happens later.
    Job => JobId,
    /// A webhook message that arrived.
    InboundWebhook => InboundWebhookId,
    /// An installed version of a provider component.
    PluginVersion => PluginVersionId,
    /// A component on its way to be an installed version.
    Installation => InstallationId,
    /// Something that happened, as readers are told it.
    Event => EventId,
    /// A line of the audit log.
    AuditEntry => AuditEntryId,
    /// A booking as a provider last said it.
    Mirrored => MirroredId,
    /// Something in which a provider and we disagree.
    Conflict => ConflictId,
    /// A member's calendar at a provider.
    Calendar => CalendarId,
    /// A time that is closed in one.
    CalendarBlock => CalendarBlockId,
    /// A call into a provider component.
    ProviderCall => ProviderCallId,
}
