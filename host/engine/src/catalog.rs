//! What can be booked where and with whom: listings, event types, members.

use berth_model::{
    event_type::{EventTypePolicy, EventTypeRecord},
    id::{ConnectionId, EventTypeId, ListingId, MemberId},
    limits,
    listing::ListingRecord,
    member::{MemberRecord, MemberRole, Turns, WeeklyHours},
    time::Zone,
};

use crate::{Caller, Engine, Outcome, problems::of_store, validate::Fields};

/// Members of one event type.
const MEMBERS_MAX: usize = 100;
/// Stretches of weekly hours of one member.
const WEEKLY_HOURS_MAX: usize = 100;
/// Largest round robin numbers of a member: see [`Turns`].
const WEIGHT_MAX: u32 = 1_000;
const PRIORITY_MAX: u32 = 4;
const CALIBRATION_MAX: u32 = 1_000_000;
/// Longest buffer, notice in minutes: a day, ninety days.
const BUFFER_MINUTES_MAX: u32 = 1_440;
const NOTICE_MINUTES_MAX: u32 = 129_600;
/// Longest booking window, in days.
const WINDOW_DAYS_MAX: u32 = 730;

/// A listing to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see ListingRecord")]
pub struct NewListing {
    pub slug: String,
    pub title: String,
    pub description: String,
    pub time_zone: Zone,
    pub booking_provider: Option<ConnectionId>,
    pub offer_when_degraded: bool,
}

/// Changes of a listing; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see ListingRecord")]
pub struct ListingPatch {
    pub slug: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub time_zone: Option<Zone>,
    pub booking_provider: Option<Option<ConnectionId>>,
    pub active: Option<bool>,
    pub offer_when_degraded: Option<bool>,
}

/// An event type to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see EventTypeRecord")]
pub struct NewEventType {
    pub listing: ListingId,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub length_minutes: u32,
    pub slot_interval_minutes: Option<u32>,
    pub buffer_before_minutes: u32,
    pub buffer_after_minutes: u32,
    pub minimum_notice_minutes: u32,
    pub booking_window_days: u32,
    pub members: Vec<MemberId>,
    pub policy: EventTypePolicy,
    pub external_id: Option<String>,
}

/// Changes of an event type; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see EventTypeRecord")]
pub struct EventTypePatch {
    pub slug: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub length_minutes: Option<u32>,
    pub slot_interval_minutes: Option<Option<u32>>,
    pub buffer_before_minutes: Option<u32>,
    pub buffer_after_minutes: Option<u32>,
    pub minimum_notice_minutes: Option<u32>,
    pub booking_window_days: Option<u32>,
    pub members: Option<Vec<MemberId>>,
    pub policy: Option<EventTypePolicy>,
    pub external_id: Option<Option<String>>,
    pub active: Option<bool>,
}

/// A member to be added.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see MemberRecord")]
pub struct NewMember {
    pub name: String,
    pub email: Option<String>,
    pub time_zone: Zone,
    pub weekly_hours: Vec<WeeklyHours>,
    pub role: MemberRole,
    pub turns: Turns,
}

/// Changes of a member; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see MemberRecord")]
pub struct MemberPatch {
    pub name: Option<String>,
    pub email: Option<Option<String>>,
    pub time_zone: Option<Zone>,
    pub weekly_hours: Option<Vec<WeeklyHours>>,
    pub role: Option<MemberRole>,
    pub turns: Option<Turns>,
    pub active: Option<bool>,
}

macro_rules! apply {
    ($to:ident, $from:ident, $($field:ident),*) => { $(if let Some(value) = $from.$field { $to.$field = value; })* };
}

fn check_event_type(event_type: &EventTypeRecord) -> Outcome<()> {
    let mut fields = Fields::default();
    fields.slug("/slug", &event_type.slug);
    fields.text("/title", &event_type.title, 200);
    fields.long_text("/description", &event_type.description, 4_000);
    fields.range("/length_minutes", event_type.length_minutes, 1, 1_440);
    if let Some(interval) = event_type.slot_interval_minutes {
        fields.range("/slot_interval_minutes", interval, 1, 1_440);
    }
    fields.range("/buffer_before_minutes", event_type.buffer_before_minutes, 0, BUFFER_MINUTES_MAX);
    fields.range("/buffer_after_minutes", event_type.buffer_after_minutes, 0, BUFFER_MINUTES_MAX);
    fields.range("/minimum_notice_minutes", event_type.minimum_notice_minutes, 0, NOTICE_MINUTES_MAX);
    fields.range("/booking_window_days", event_type.booking_window_days, 0, WINDOW_DAYS_MAX);
    if event_type.members.is_empty() || event_type.members.len() > MEMBERS_MAX {
        fields.bad("/members", format!("must be 1 to {MEMBERS_MAX} members"));
    }
    if let Some(id) = &event_type.external_id {
        fields.text("/external_id", id, 500);
    }
    fields.finish()
}

fn check_member(member: &MemberRecord) -> Outcome<()> {
    let mut fields = Fields::default();
    fields.text("/name", &member.name, 200);
    if let Some(email) = &member.email {
        fields.email("/email", email);
    }
    fields.range("/turns/weight", member.turns.weight, 0, WEIGHT_MAX);
    fields.range("/turns/priority", member.turns.priority, 0, PRIORITY_MAX);
    fields.range("/turns/calibration", member.turns.calibration, 0, CALIBRATION_MAX);
    if member.weekly_hours.len() > WEEKLY_HOURS_MAX {
        fields.bad("/weekly_hours", format!("at most {WEEKLY_HOURS_MAX}"));
    }
    for (i, hours) in member.weekly_hours.iter().enumerate() {
        if hours.weekdays.is_empty() {
            fields.bad(
                &format!("/weekly_hours/{i}/weekdays"),
                "at least one of Mon, Tue, Wed, Thu, Fri, Sat, Sun",
            );
        }
        if hours.end.is_some_and(|end| end <= hours.start) {
            fields.bad(&format!("/weekly_hours/{i}/end"), "must be after start; 24:00 is the end of the day");
        }
    }
    fields.finish()
}

impl Engine {
    async fn check_listing(&self, listing: &ListingRecord) -> Outcome<()> {
        let mut fields = Fields::default();
        fields.slug("/slug", &listing.slug);
        fields.text("/title", &listing.title, 200);
        fields.long_text("/description", &listing.description, 4_000);
        if let Some(connection) = listing.booking_provider {
            match self.store().connection(listing.tenant, connection).await {
                Ok(connection) if connection.listing.is_some_and(|only| only != listing.id) => {
                    fields.bad("/booking_provider_id", "this connection is only for another listing");
                }
                Ok(_) => {}
                Err(_) => fields.bad("/booking_provider_id", "no such connection"),
            }
        }
        fields.finish()
    }

    /// Make a listing.
    pub async fn create_listing(&self, caller: &Caller, new: NewListing) -> Outcome<ListingRecord> {
        let now = self.now();
        let listing = ListingRecord {
            id: self.new_id(),
            tenant: caller.tenant,
            slug: new.slug,
            title: new.title,
            description: new.description,
            time_zone: new.time_zone,
            booking_provider: new.booking_provider,
            active: true,
            offer_when_degraded: new.offer_when_degraded,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        self.check_listing(&listing).await?;
        self.store().create_listing(listing.clone(), self.audit(caller)).await.map_err(of_store)?;
        Ok(listing)
    }

    /// Change a listing.
    pub async fn update_listing(
        &self,
        caller: &Caller,
        id: ListingId,
        patch: ListingPatch,
        expected_revision: Option<i64>,
    ) -> Outcome<ListingRecord> {
        let mut listing = self.listing(caller, id).await?;
        apply!(
            listing,
            patch,
            slug,
            title,
            description,
            time_zone,
            booking_provider,
            active,
            offer_when_degraded
        );
        self.check_listing(&listing).await?;
        let revision = expected_revision.unwrap_or(listing.revision);
        self.store().update_listing(listing, revision, self.audit(caller)).await.map_err(of_store)
    }

    /// Make an event type.
    pub async fn create_event_type(&self, caller: &Caller, new: NewEventType) -> Outcome<EventTypeRecord> {
        let now = self.now();
        let event_type = EventTypeRecord {
            id: self.new_id(),
            tenant: caller.tenant,
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
            members: new.members,
            policy: new.policy,
            external_id: new.external_id,
            active: true,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        check_event_type(&event_type)?;
        self.store().create_event_type(event_type.clone(), self.audit(caller)).await.map_err(of_store)?;
        Ok(event_type)
    }

    /// Change an event type.
    pub async fn update_event_type(
        &self,
        caller: &Caller,
        id: EventTypeId,
        patch: EventTypePatch,
        expected_revision: Option<i64>,
    ) -> Outcome<EventTypeRecord> {
        let mut event_type = self.event_type(caller, id).await?;
        apply!(event_type, patch, slug, title, description, length_minutes, slot_interval_minutes);
        apply!(event_type, patch, buffer_before_minutes, buffer_after_minutes, minimum_notice_minutes);
        apply!(event_type, patch, booking_window_days, members, policy, external_id, active);
        check_event_type(&event_type)?;
        let revision = expected_revision.unwrap_or(event_type.revision);
        self.store().update_event_type(event_type, revision, self.audit(caller)).await.map_err(of_store)
    }

    /// Event types by id, of one listing or of all.
    pub async fn list_event_types(
        &self,
        caller: &Caller,
        listing: Option<ListingId>,
        after: Option<EventTypeId>,
        limit: u32,
    ) -> Outcome<Vec<EventTypeRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        self.store().list_event_types(caller.tenant, listing, after, limit).await.map_err(of_store)
    }

    /// Add a member.
    pub async fn create_member(&self, caller: &Caller, new: NewMember) -> Outcome<MemberRecord> {
        let now = self.now();
        let member = MemberRecord {
            id: self.new_id(),
            tenant: caller.tenant,
            name: new.name,
            email: new.email,
            time_zone: new.time_zone,
            weekly_hours: new.weekly_hours,
            role: new.role,
            turns: new.turns,
            active: true,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        check_member(&member)?;
        self.store().create_member(member.clone(), self.audit(caller)).await.map_err(of_store)?;
        Ok(member)
    }

    /// Change a member.
    pub async fn update_member(
        &self,
        caller: &Caller,
        id: MemberId,
        patch: MemberPatch,
        expected_revision: Option<i64>,
    ) -> Outcome<MemberRecord> {
        let mut member = self.member(caller, id).await?;
        apply!(member, patch, name, email, time_zone, weekly_hours, role, turns, active);
        check_member(&member)?;
        let revision = expected_revision.unwrap_or(member.revision);
        self.store().update_member(member, revision, self.audit(caller)).await.map_err(of_store)
    }

    /// A listing.
    pub async fn listing(&self, caller: &Caller, id: ListingId) -> Outcome<ListingRecord> {
        self.store().listing(caller.tenant, id).await.map_err(of_store)
    }

    /// Remove a listing that nothing refers to.
    pub async fn delete_listing(&self, caller: &Caller, id: ListingId) -> Outcome<()> {
        self.store().delete_listing(caller.tenant, id, self.audit(caller)).await.map_err(of_store)
    }

    /// Listings by id.
    pub async fn list_listings(
        &self,
        caller: &Caller,
        after: Option<ListingId>,
        limit: u32,
    ) -> Outcome<Vec<ListingRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        self.store().list_listings(caller.tenant, after, limit).await.map_err(of_store)
    }

    /// An event type.
    pub async fn event_type(&self, caller: &Caller, id: EventTypeId) -> Outcome<EventTypeRecord> {
        self.store().event_type(caller.tenant, id).await.map_err(of_store)
    }

    /// Remove an event type that nothing refers to.
    pub async fn delete_event_type(&self, caller: &Caller, id: EventTypeId) -> Outcome<()> {
        self.store().delete_event_type(caller.tenant, id, self.audit(caller)).await.map_err(of_store)
    }

    /// A member.
    pub async fn member(&self, caller: &Caller, id: MemberId) -> Outcome<MemberRecord> {
        self.store().member(caller.tenant, id).await.map_err(of_store)
    }

    /// Remove a member that nothing refers to.
    pub async fn delete_member(&self, caller: &Caller, id: MemberId) -> Outcome<()> {
        self.store().delete_member(caller.tenant, id, self.audit(caller)).await.map_err(of_store)
    }

    /// Members by id.
    pub async fn list_members(
        &self,
        caller: &Caller,
        after: Option<MemberId>,
        limit: u32,
    ) -> Outcome<Vec<MemberRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        self.store().list_members(caller.tenant, after, limit).await.map_err(of_store)
    }
}
