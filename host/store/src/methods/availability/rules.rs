//! Availability rules.

use std::sync::Arc;

use berth_model::{
    id::{ListingId, RuleId, TenantId},
    scheduling::rule::{RuleKind, RuleRecord},
    time::Interval,
};

use crate::{
    Store, StoreError,
    cache::{CachedRules, whole_days},
    records::{Audit, HolidayImport, RuleFilter, RulesOf, ScheduleUser},
};

impl Store {
    /// Add rules, all or none.
    pub async fn create_rules(&self, rules: Vec<(RuleRecord, Audit)>) -> Result<(), StoreError> {
        write_tx!(self, [rules], |q, conn| q::availability::rules::insert(conn, &rules))
    }

    /// One rule of this kind.
    pub async fn rule(
        &self,
        tenant: TenantId,
        kind: RuleKind,
        rule: RuleId,
    ) -> Result<RuleRecord, StoreError> {
        read!(self, |q, conn| q::availability::rules::get(conn, tenant, kind, rule))
    }

    /// A page of rules of this kind in the order of their ids, after this one.
    pub async fn list_rules(
        &self,
        tenant: TenantId,
        kind: RuleKind,
        filter: RuleFilter,
        after: Option<RuleId>,
        limit: u32,
    ) -> Result<Vec<RuleRecord>, StoreError> {
        read!(self, |q, conn| q::availability::rules::list(conn, tenant, kind, filter, after, limit))
    }

    /// Who names a schedule, as many as are named to people.
    pub async fn schedule_users(
        &self,
        tenant: TenantId,
        schedule: RuleId,
    ) -> Result<Vec<ScheduleUser>, StoreError> {
        read!(self, |q, conn| q::availability::rules::schedule_users(conn, tenant, schedule))
    }

    /// Replace a rule; `Stale` if its revision is not the expected one. Returns it with its new revision.
    pub async fn update_rule(
        &self,
        rule: RuleRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<RuleRecord, StoreError> {
        write_tx!(self, [rule, audit], |q, conn| q::availability::rules::update(
            conn,
            &rule,
            expected_revision,
            &audit
        ))
    }

    /// Remove a rule; `InUse` if it is a schedule that somebody names.
    pub async fn delete_rule(
        &self,
        tenant: TenantId,
        kind: RuleKind,
        rule: RuleId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::availability::rules::delete(conn, tenant, kind, rule, &audit))
    }

    /// The holidays of a listing, at most as many as one answer reads.
    pub async fn holidays_of(
        &self,
        tenant: TenantId,
        listing: ListingId,
    ) -> Result<Vec<RuleRecord>, StoreError> {
        read!(self, |q, conn| q::availability::rules::holidays(conn, tenant, listing))
    }

    /// Change the holidays of a listing, all or nothing; `Stale` if it has others than those that the change was decided over.
    pub async fn import_holidays(&self, import: HolidayImport) -> Result<(), StoreError> {
        write_tx!(self, [import], |q, conn| q::availability::rules::import(conn, &import))
    }

    /// Every rule that can bear on these around an interval (up to a day more at each end), of a setup that was read in this request
    /// ([`Store::booking_setup`]). One statement, or none if what is cached is of that setup. One more than `RULES_READ_MAX` of them: there
    /// are more.
    pub async fn rules_bearing(
        &self,
        tenant: TenantId,
        setup: i64,
        of: RulesOf,
        within: Interval,
    ) -> Result<Arc<[RuleRecord]>, StoreError> {
        let (of, within) = (Arc::new(of), whole_days(within));
        let key = (tenant, Arc::clone(&of), within);
        if let Some(known) = self.cache.rules.get(&key).filter(|known| known.setup == setup) {
            return Ok(known.rules);
        }
        let rules: Arc<[RuleRecord]> = read!(self, |q, conn| async move {
            q::availability::rules::bearing(conn, tenant, &of, within).await
        })?
        .into();
        self.cache.rules.insert(key, CachedRules { setup, rules: Arc::clone(&rules) });
        Ok(rules)
    }
}
