//! Somebody joins: a member is made, or found by the tenant's own id of them, and put into event types, all in one transaction.

use berth_model::{
    catalog::{
        event_type::EventTypeRecord,
        member::{MemberRecord, MemberRole, RoundRobinShare, WeeklyHours},
    },
    id::{EventTypeId, ListingId, ScheduleId},
    limits,
    problem::{FieldError, Problem},
    validate::Fields,
    zone::Zone,
};
use berth_store::{StoreError, records::MemberJoin};
use chrono::{NaiveTime, Weekday};

use super::{event_types::no_listing, members::no_schedule};
use crate::{Caller, Outcome, catalog::Catalog};

/// Somebody who joins.
#[derive(Debug, Clone, Default)]
pub struct JoinTeam {
    /// Name for people; none: whoever the tenant calls `user_id`, and their id is their name if they are not there yet.
    pub name: Option<String>,
    /// Mailbox, for invitations.
    pub email: Option<String>,
    /// The tenant's own id of them.
    pub user_id: Option<String>,
    /// The clock of their hours; none: the listing's, or the tenant's.
    pub time_zone: Option<Zone>,
    /// The named schedule that they keep; none and no hours: the tenant's for those who name none.
    pub schedule: Option<ScheduleId>,
    /// When they can be booked. None: of somebody whose name is not known the usual hours of an office, else none.
    pub weekly_hours: Option<Vec<WeeklyHours>>,
    /// What they may do.
    pub role: Option<MemberRole>,
    /// Their part in round robins.
    pub turns: ShareGiven,
    /// Where they can be booked: the event types are this listing's, or all of them are meant.
    pub listing: Option<ListingId>,
    /// What they can be booked for; none: all of the listing's.
    pub event_types: Option<Vec<EventTypeId>>,
}

/// What is said of somebody's part in round robins; none leaves it as it is.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "see RoundRobinShare")]
pub struct ShareGiven {
    pub round_robin: Option<bool>,
    pub weight: Option<u32>,
    pub priority: Option<u32>,
    pub calibration: Option<u32>,
}

/// Somebody who joined.
#[derive(Debug, Clone)]
pub struct Joined {
    /// As they are now.
    pub member: MemberRecord,
    /// Were they made?
    pub is_new: bool,
    /// The event types that were meant, if any were; they can be booked for all of them now.
    pub event_types: Option<Vec<EventTypeId>>,
}

impl ShareGiven {
    fn over(self, turns: RoundRobinShare) -> RoundRobinShare {
        RoundRobinShare {
            round_robin: self.round_robin.unwrap_or(turns.round_robin),
            weight: self.weight.unwrap_or(turns.weight),
            priority: self.priority.unwrap_or(turns.priority),
            calibration: self.calibration.unwrap_or(turns.calibration),
        }
    }
}

impl Catalog {
    /// Add a member, and put them into event types. Whoever is named by the tenant's own id alone and is there already is put into them, with
    /// what else is said of them. The same again changes nothing.
    pub async fn join_team(&self, caller: &Caller, join: JoinTeam) -> Outcome<Joined> {
        let mut tries = limits::JOIN_TRIES;
        loop {
            let (member, before, event_types) = self.joining(caller, &join).await?;
            let audit = || self.base.audit(caller);
            let changed: Vec<_> = event_types
                .iter()
                .filter(|event_type| !event_type.members.contains(&member.id))
                .map(|event_type| (with(event_type, &member), audit()))
                .collect();
            for (event_type, _) in &changed {
                event_type.check().map_err(|problem| refused(event_type, &event_types, &join, problem))?;
            }
            let is_changed = before.as_ref() != Some(&member);
            let done = MemberJoin {
                member: member.clone(),
                expected_revision: before.as_ref().map(|before| before.revision),
                is_changed,
                event_types: changed,
            };
            let meant = join.listing.is_some() || join.event_types.is_some();
            match self.base.store().join_team(done, audit()).await {
                Ok(member) => {
                    return Ok(Joined {
                        member,
                        is_new: before.is_none(),
                        event_types: meant.then(|| event_types.iter().map(|of| of.id).collect()),
                    });
                }
                // Changed by somebody else in this moment: look again. Whoever was made twice at once is found then.
                Err(StoreError::Stale) if tries > 1 => {}
                Err(StoreError::Duplicate(_)) if tries > 1 && join.name.is_none() => {}
                Err(error) => return Err(no_schedule(error)),
            }
            tries = tries.saturating_sub(1);
        }
    }

    /// The member as they are to be, as they were if they were there, and the event types that are meant.
    async fn joining(
        &self,
        caller: &Caller,
        join: &JoinTeam,
    ) -> Outcome<(MemberRecord, Option<MemberRecord>, Vec<EventTypeRecord>)> {
        let before = self.known(caller, join).await?;
        let mut fields = Fields::default();
        let zone = self.zone_of(caller, join, before.as_ref(), &mut fields).await?;
        let event_types = self.event_types_of(caller, join, &mut fields).await?;
        if join.name.is_none() && join.user_id.is_none() {
            fields.bad("/name", "is required, unless user_id names somebody");
        }
        fields.finish()?;
        let member = match (&before, zone) {
            (Some(before), _) => MemberRecord {
                email: join.email.clone().or_else(|| before.email.clone()),
                time_zone: join.time_zone.unwrap_or(before.time_zone),
                schedule: join.schedule.or(before.schedule),
                weekly_hours: join.weekly_hours.clone().unwrap_or_else(|| before.weekly_hours.clone()),
                role: join.role.unwrap_or(before.role),
                turns: join.turns.over(before.turns),
                ..before.clone()
            },
            (None, zone) => self.newcomer(caller, join, zone.unwrap_or(Zone::UTC)).await?,
        };
        member.check()?;
        Ok((member, before, event_types))
    }

    /// Whoever the tenant calls so, if nothing but that says who it is.
    async fn known(&self, caller: &Caller, join: &JoinTeam) -> Outcome<Option<MemberRecord>> {
        let (None, Some(user_id)) = (&join.name, &join.user_id) else { return Ok(None) };
        match self.base.store().member_by_user(caller.tenant, user_id).await {
            Ok(member) => Ok(Some(member)),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The clock of somebody new.
    async fn zone_of(
        &self,
        caller: &Caller,
        join: &JoinTeam,
        before: Option<&MemberRecord>,
        fields: &mut Fields,
    ) -> Outcome<Option<Zone>> {
        let listing = match join.listing {
            None => None,
            Some(listing) => match self.base.store().listing(caller.tenant, listing).await {
                Ok(listing) => Some(listing),
                Err(StoreError::NotFound(_)) => return Err(no_listing()),
                Err(error) => return Err(error.into()),
            },
        };
        let zone = join.time_zone.or(listing.map(|listing| listing.time_zone));
        if zone.is_some() || before.is_some() {
            return Ok(zone);
        }
        let zone = self.base.store().tenant(caller.tenant).await?.settings.time_zone;
        if zone.is_none() {
            fields.bad("/time_zone", "is required: neither a listing nor the tenant's settings say it");
        }
        Ok(zone)
    }

    /// The event types that are meant, each once.
    async fn event_types_of(
        &self,
        caller: &Caller,
        join: &JoinTeam,
        fields: &mut Fields,
    ) -> Outcome<Vec<EventTypeRecord>> {
        let most = limits::JOINED_EVENT_TYPES_MAX;
        let Some(ids) = &join.event_types else {
            let Some(listing) = join.listing else { return Ok(Vec::new()) };
            let ask = u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1);
            let all = self.list_event_types(caller, Some(listing), false, None, ask).await?;
            if all.len() > most {
                fields.bad(
                    "/event_type_ids",
                    format!("is required: the listing has more than {most} event types"),
                );
            }
            return Ok(all);
        };
        fields.count("/event_type_ids", ids.len(), 0, most);
        fields.distinct("/event_type_ids", ids);
        let mut found: Vec<EventTypeRecord> = Vec::new();
        for (i, id) in ids.iter().enumerate().take(most) {
            match self.base.store().event_type(caller.tenant, *id).await {
                Ok(event_type) if join.listing.is_none_or(|listing| listing == event_type.listing) => {
                    if found.iter().all(|known| known.id != *id) {
                        found.push(event_type);
                    }
                }
                Ok(_) => fields.bad(&format!("/event_type_ids/{i}"), "is an event type of another listing"),
                Err(StoreError::NotFound(_)) => {
                    fields.bad(&format!("/event_type_ids/{i}"), "there is no such event type");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    async fn newcomer(&self, caller: &Caller, join: &JoinTeam, time_zone: Zone) -> Outcome<MemberRecord> {
        let now = self.base.now();
        let schedule = match join.schedule {
            None if join.weekly_hours.as_ref().is_none_or(Vec::is_empty) => {
                self.base.store().tenant(caller.tenant).await?.settings.default_schedule_id
            }
            named => named,
        };
        let name = join.name.clone().or_else(|| join.user_id.clone()).unwrap_or_default();
        let is_unknown = join.name.is_none() && schedule.is_none();
        let hours = || if is_unknown { office_hours() } else { Vec::new() };
        Ok(MemberRecord {
            id: self.base.new_id(),
            tenant: caller.tenant,
            name,
            email: join.email.clone(),
            user_id: join.user_id.clone(),
            time_zone,
            schedule,
            weekly_hours: join.weekly_hours.clone().unwrap_or_else(hours),
            role: join.role.unwrap_or_default(),
            turns: join.turns.over(RoundRobinShare::default()),
            active: true,
            revision: 1,
            created_at: now,
            updated_at: now,
        })
    }
}

/// Monday to Friday, nine to five: somebody of whom nothing but an id is known can be booked then, as far as rules do not close it.
fn office_hours() -> Vec<WeeklyHours> {
    use Weekday::{Fri, Mon, Thu, Tue, Wed};
    let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    vec![WeeklyHours { weekdays: vec![Mon, Tue, Wed, Thu, Fri], start: at(9), end: Some(at(17)) }]
}

fn with(event_type: &EventTypeRecord, member: &MemberRecord) -> EventTypeRecord {
    let mut event_type = event_type.clone();
    event_type.members.push(member.id);
    event_type
}

/// What is wrong with an event type that somebody was put into, by where it was named.
fn refused(
    event_type: &EventTypeRecord,
    all: &[EventTypeRecord],
    join: &JoinTeam,
    problem: Problem,
) -> Problem {
    let position = all.iter().position(|of| of.id == event_type.id).filter(|_| join.event_types.is_some());
    let field = position.map_or_else(|| "/listing_id".to_owned(), |i| format!("/event_type_ids/{i}"));
    let why = problem.errors.into_iter().map(|error| format!("{} {}", error.field, error.message));
    let message = format!(
        "{} would not be acceptable with one more member: {}",
        event_type.slug,
        why.collect::<Vec<_>>().join("; ")
    );
    Problem::invalid(vec![FieldError::new(field, message)])
}
