//! Members: the people whose time is booked.

use berth_model::{
    catalog::member::{MemberRecord, MemberRole, RoundRobinShare, WeeklyHours},
    id::{MemberId, ScheduleId},
    limits,
    problem::{FieldError, Problem},
    zone::Zone,
};
use berth_store::StoreError;

use crate::{Caller, Outcome, apply, catalog::Catalog};

/// A member to be added.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "see MemberRecord")]
pub struct NewMember {
    pub name: String,
    pub email: Option<String>,
    pub user_id: Option<String>,
    pub time_zone: Zone,
    /// None: the tenant's default, if there are no hours either.
    pub schedule: Option<ScheduleId>,
    pub weekly_hours: Vec<WeeklyHours>,
    pub role: MemberRole,
    pub turns: RoundRobinShare,
}

/// Changes of a member; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see MemberRecord")]
pub struct MemberPatch {
    pub name: Option<String>,
    pub email: Option<Option<String>>,
    pub user_id: Option<Option<String>>,
    pub time_zone: Option<Zone>,
    pub schedule: Option<Option<ScheduleId>>,
    pub weekly_hours: Option<Vec<WeeklyHours>>,
    pub role: Option<MemberRole>,
    pub turns: Option<RoundRobinShare>,
    pub active: Option<bool>,
}

/// What the store found wrong, with the field if it is the schedule.
pub(super) fn no_schedule(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound("schedule") => {
            Problem::invalid(vec![FieldError::new("/schedule_id", "there is no such schedule")])
                .with_hint("GET /api/booking/schedules lists them.")
        }
        error => Problem::from(error),
    }
}

impl Catalog {
    /// Add a member.
    pub async fn create_member(&self, caller: &Caller, new: NewMember) -> Outcome<MemberRecord> {
        let now = self.base.now();
        let schedule = match new.schedule {
            None if new.weekly_hours.is_empty() => {
                self.base.store().tenant(caller.tenant).await?.settings.default_schedule_id
            }
            named => named,
        };
        let member = MemberRecord {
            id: self.base.new_id(),
            tenant: caller.tenant,
            name: new.name,
            email: new.email,
            user_id: new.user_id,
            time_zone: new.time_zone,
            schedule,
            weekly_hours: new.weekly_hours,
            role: new.role,
            turns: new.turns,
            active: true,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        member.check()?;
        let done = self.base.store().create_member(member.clone(), self.base.audit(caller)).await;
        done.map_err(no_schedule)?;
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
        apply!(member, patch, name, email, user_id, time_zone, schedule, weekly_hours, role);
        apply!(member, patch, turns, active);
        member.check()?;
        let revision = expected_revision.unwrap_or(member.revision);
        let done = self.base.store().update_member(member, revision, self.base.audit(caller)).await;
        done.map_err(no_schedule)
    }

    /// A member.
    pub async fn member(&self, caller: &Caller, id: MemberId) -> Outcome<MemberRecord> {
        Ok(self.base.store().member(caller.tenant, id).await?)
    }

    /// Remove a member that nothing refers to.
    pub async fn delete_member(&self, caller: &Caller, id: MemberId) -> Outcome<()> {
        match self.base.store().delete_member(caller.tenant, id, self.base.audit(caller)).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.member_not_removed(caller, id, error).await),
        }
    }

    /// Members by id.
    pub async fn list_members(
        &self,
        caller: &Caller,
        after: Option<MemberId>,
        limit: u32,
    ) -> Outcome<Vec<MemberRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_members(caller.tenant, after, limit).await?)
    }
}
