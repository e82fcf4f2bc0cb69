//! Event types: what can be booked.

use berth_model::{
    catalog::{
        event_type::{EventTypeCounterpart, EventTypePolicy, EventTypeRecord},
        price,
    },
    id::{EventTypeId, ListingId, MemberId, RuleId},
    limits,
    outbound::provider::Money,
    problem::{FieldError, Problem},
    scheduling::rule::RuleKind,
};
use berth_store::{StoreError, records::OfferCounts};

use crate::{Caller, Ends, Outcome, apply, catalog::Catalog};

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
    pub external: Option<Vec<EventTypeCounterpart>>,
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
    pub external: Option<Vec<EventTypeCounterpart>>,
    pub active: Option<bool>,
}

/// A copy of an event type to be made. Everything else is the original's, but its counterpart at a provider; the copy is not active.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see EventTypeRecord")]
pub struct DuplicateEventType {
    pub slug: String,
    /// None: the original's.
    pub title: Option<String>,
    /// None: the original's.
    pub listing: Option<ListingId>,
}

/// The refusal of a listing that is not there.
pub(super) fn no_listing() -> Problem {
    Problem::invalid(vec![FieldError::new("/listing_id", "there is no such listing")])
}

impl Catalog {
    /// The price that is written as a bare number, in the currency of this listing, or else of its tenant. `at` is where it was written.
    pub async fn price_at(
        &self,
        caller: &Caller,
        listing: ListingId,
        number: &str,
        at: &str,
    ) -> Outcome<Money> {
        let currency = match self.base.store().listing(caller.tenant, listing).await {
            Ok(listing) => listing.currency,
            Err(StoreError::NotFound(_)) => return Err(no_listing()),
            Err(error) => return Err(error.into()),
        };
        let currency = match currency {
            Some(currency) => currency,
            None => self.base.store().tenant(caller.tenant).await?.settings.currency.ok_or_else(|| {
                let message = "is a number without a currency, and neither the listing nor the tenant has one";
                Problem::invalid(vec![FieldError::new(at, message)]).with_hint(
                    "Set `currency` of the listing (PATCH /api/listings/{id}) or of the tenant (PATCH /api/tenant), or send \
                     {\"minor_units\": 4990, \"currency\": \"EUR\"}.",
                )
            })?,
        };
        price::in_currency(number, &currency).map_err(|why| Problem::invalid(vec![FieldError::new(at, why)]))
    }

    /// Make an event type.
    pub async fn create_event_type(&self, caller: &Caller, new: NewEventType) -> Outcome<EventTypeRecord> {
        let now = self.base.now();
        let mut event_type = EventTypeRecord {
            id: self.base.new_id(),
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
            external_id: None,
            external: Vec::new(),
            active: true,
            archived_at: None,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        self.give_counterparts(caller, &mut event_type, new.external, Some(new.external_id)).await?;
        self.insert_event_type(caller, event_type).await
    }

    /// Make a copy of an event type, which can be booked once it is made active.
    pub async fn duplicate_event_type(
        &self,
        caller: &Caller,
        original: EventTypeId,
        copy: DuplicateEventType,
    ) -> Outcome<EventTypeRecord> {
        let original = self.event_type(caller, original).await?;
        let now = self.base.now();
        let event_type = EventTypeRecord {
            id: self.base.new_id(),
            listing: copy.listing.unwrap_or(original.listing),
            slug: copy.slug,
            title: copy.title.unwrap_or(original.title),
            external_id: None,
            external: Vec::new(),
            active: false,
            archived_at: None,
            revision: 1,
            created_at: now,
            updated_at: now,
            ..original
        };
        self.insert_event_type(caller, event_type).await
    }

    /// Make or change an event type as it is on its provider's list, which was read just now and is not asked again.
    pub(crate) async fn put_found(
        &self,
        caller: &Caller,
        event_type: EventTypeRecord,
        is_new: bool,
    ) -> Outcome<EventTypeRecord> {
        event_type.check()?;
        let (store, audit) = (self.base.store(), self.base.audit(caller));
        let done = if is_new {
            store.create_event_type(event_type.clone(), audit).await.map(|()| event_type.clone())
        } else {
            store.update_event_type(event_type.clone(), event_type.revision, audit).await
        };
        match done {
            Ok(saved) => Ok(saved),
            Err(error) => Err(self.refused_event_type(caller, &event_type, error).await),
        }
    }

    async fn insert_event_type(
        &self,
        caller: &Caller,
        event_type: EventTypeRecord,
    ) -> Outcome<EventTypeRecord> {
        event_type.check()?;
        self.check_schedule(&event_type).await?;
        let unchecked = self.check_counterpart(caller, &event_type, None).await?;
        match self.base.store().create_event_type(event_type.clone(), self.base.audit(caller)).await {
            Ok(()) => {
                self.counterpart_is_unchecked(&event_type, unchecked).await?;
                Ok(event_type)
            }
            Err(error) => Err(self.refused_event_type(caller, &event_type, error).await),
        }
    }

    /// Is the restriction schedule that it names there?
    async fn check_schedule(&self, event_type: &EventTypeRecord) -> Outcome<()> {
        let Some(schedule) = event_type.policy.restriction_schedule else { return Ok(()) };
        let id = RuleId::from_uuid(schedule.uuid());
        match self.base.store().rule(event_type.tenant, RuleKind::RestrictionSchedule, id).await {
            Ok(_) => Ok(()),
            Err(StoreError::NotFound(_)) => Err(Problem::invalid(vec![FieldError::new(
                "/policy/restriction_schedule",
                "there is no such restriction schedule",
            )])),
            Err(error) => Err(error.into()),
        }
    }

    /// What the store found wrong, with the field.
    async fn refused_event_type(
        &self,
        caller: &Caller,
        event_type: &EventTypeRecord,
        error: StoreError,
    ) -> Problem {
        match error {
            StoreError::NotFound("listing") => no_listing(),
            StoreError::NotFound("schedule") => {
                Problem::invalid(vec![FieldError::new("/policy/schedule_id", "there is no such schedule")])
                    .with_hint("GET /api/booking/schedules lists them.")
            }
            StoreError::NotFound("member") => self.missing_members(caller, &event_type.members).await,
            StoreError::Duplicate(what) => {
                let mut problem = Problem::from(StoreError::Duplicate(what));
                problem.errors.push(FieldError::new(
                    "/slug",
                    "is used by another event type of the listing; choose another one",
                ));
                problem
            }
            other => Problem::from(other),
        }
    }

    /// Which of the members are not there. Asked only when something is wrong, for at most the members of one event type.
    async fn missing_members(&self, caller: &Caller, members: &[MemberId]) -> Problem {
        let mut errors = Vec::new();
        for (i, member) in members.iter().enumerate() {
            match self.base.store().member(caller.tenant, *member).await {
                Ok(_) => {}
                Err(StoreError::NotFound(_)) => {
                    errors.push(FieldError::new(format!("/member_ids/{i}"), "there is no such member"));
                }
                Err(error) => return Problem::from(error),
            }
        }
        Problem::invalid(errors).with_hint("GET /api/booking/team lists the members.")
    }

    /// Change an event type.
    pub async fn update_event_type(
        &self,
        caller: &Caller,
        id: EventTypeId,
        patch: EventTypePatch,
        expected_revision: Option<i64>,
    ) -> Outcome<EventTypeRecord> {
        let before = self.event_type(caller, id).await?;
        let mut event_type = before.clone();
        apply!(event_type, patch, slug, title, description, length_minutes, slot_interval_minutes);
        apply!(event_type, patch, buffer_before_minutes, buffer_after_minutes, minimum_notice_minutes);
        apply!(event_type, patch, booking_window_days, members, policy, active);
        self.give_counterparts(caller, &mut event_type, patch.external, patch.external_id).await?;
        if event_type.active {
            // Restored.
            event_type.archived_at = None;
        }
        event_type.check()?;
        self.check_schedule(&event_type).await?;
        let unchecked = self.check_counterpart(caller, &event_type, Some(&before)).await?;
        let revision = expected_revision.unwrap_or(event_type.revision);
        match self.base.store().update_event_type(event_type.clone(), revision, self.base.audit(caller)).await
        {
            Ok(changed) => {
                self.counterpart_is_unchecked(&changed, unchecked).await?;
                Ok(changed)
            }
            Err(error) => Err(self.refused_event_type(caller, &event_type, error).await),
        }
    }

    /// Event types by id, of one listing or of all; archived ones as well if that is said.
    pub async fn list_event_types(
        &self,
        caller: &Caller,
        listing: Option<ListingId>,
        archived: bool,
        after: Option<EventTypeId>,
        limit: u32,
    ) -> Outcome<Vec<EventTypeRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_event_types(caller.tenant, listing, archived, after, limit).await?)
    }

    /// An event type.
    pub async fn event_type(&self, caller: &Caller, id: EventTypeId) -> Outcome<EventTypeRecord> {
        Ok(self.base.store().event_type(caller.tenant, id).await?)
    }

    /// What closing an event type would find: it is gone if nothing refers to it, else it is archived.
    pub async fn event_type_deletion(&self, caller: &Caller, id: EventTypeId) -> Outcome<OfferCounts> {
        self.event_type(caller, id).await?;
        Ok(self.base.store().event_type_counts(caller.tenant, id, self.base.now()).await?)
    }

    /// Close an event type. Gone for good if nothing refers to it; else it is archived: it offers nothing and stays for its bookings.
    pub async fn delete_event_type(
        &self,
        caller: &Caller,
        id: EventTypeId,
        expected_revision: Option<i64>,
    ) -> Outcome<Ends<EventTypeRecord>> {
        let event_type = self.event_type(caller, id).await?;
        let revision = event_type.revision;
        if expected_revision.is_some_and(|expected| expected != revision) {
            return Err(Problem::from(StoreError::Stale));
        }
        match self.base.store().delete_event_type(caller.tenant, id, self.base.audit(caller)).await {
            Ok(()) => Ok(Ends::Removed),
            Err(StoreError::InUse(_)) if event_type.archived_at.is_some() => Ok(Ends::Kept(event_type)),
            Err(StoreError::InUse(_)) => {
                let closed =
                    EventTypeRecord { active: false, archived_at: Some(self.base.now()), ..event_type };
                let closed =
                    self.base.store().update_event_type(closed, revision, self.base.audit(caller)).await;
                closed.map(Ends::Kept).map_err(Problem::from)
            }
            Err(error) => Err(error.into()),
        }
    }
}
