//! Availability rules: made, read, changed; and a preview of what a pattern would offer.

use berth_model::{
    budget::Budget,
    id::RuleId,
    limits,
    problem::{Code, FieldError, Problem},
    scheduling::{
        meeting::Meeting,
        question::{Host, Question},
        rule::{Pattern, Rule, RuleKind, RuleOwner, RuleRecord},
        rules::{GridAnchor, TeamMode},
    },
    time::{Instant, Interval},
    zone::Zone,
};
use berth_store::StoreError;

use super::pattern_windows;
use crate::{Caller, Outcome, availability::Availability, validate::Fields};

/// What a pattern would offer.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PatternPreview {
    pub pattern: Pattern,
    pub time_zone: Zone,
    pub within: Interval,
    pub length_minutes: u32,
    pub slot_interval_minutes: Option<u32>,
}

fn check(rule: &Rule, owner: Option<RuleOwner>) -> Outcome<()> {
    let mut fields = Fields::default();
    rule.check(&mut fields);
    let (needed, message) = match rule.kind() {
        RuleKind::OutOfOffice | RuleKind::Travel => {
            (matches!(owner, Some(RuleOwner::Member(_))), "must name a member")
        }
        RuleKind::Holiday => (matches!(owner, Some(RuleOwner::Listing(_))), "must name a listing"),
        RuleKind::Pattern | RuleKind::Override => {
            (owner.is_some(), "name one of member_id, listing_id and event_type_id")
        }
        RuleKind::RestrictionSchedule => {
            (owner.is_none(), "event types name the schedule, not the other way round")
        }
    };
    if !needed {
        let field = match rule.kind() {
            RuleKind::Holiday => "/listing_id",
            RuleKind::Pattern | RuleKind::Override | RuleKind::OutOfOffice | RuleKind::Travel => "/member_id",
            RuleKind::RestrictionSchedule => "",
        };
        fields.bad(field, message);
    }
    fields.finish()
}

impl Availability {
    /// Check rules that belong together. Following a recurrence to where it comes first may take a core for long.
    async fn checked(
        &self,
        caller: &Caller,
        rules: Vec<Rule>,
        owner: Option<RuleOwner>,
    ) -> Outcome<Vec<Rule>> {
        let recurs = |rule: &Rule| matches!(rule, Rule::Pattern(pattern) if pattern.rrule.is_some());
        let is_dear = rules.iter().any(recurs);
        let check_all = move |_: &Budget| {
            rules.iter().try_for_each(|rule| check(rule, owner))?;
            Ok(rules)
        };
        if is_dear { self.computing.run(caller.tenant, check_all).await } else { check_all(&Budget::of(0)) }
    }
}

/// What the store found wrong, with the field.
pub(crate) fn refused(error: StoreError, owner: Option<RuleOwner>) -> Problem {
    let missing = matches!(error, StoreError::NotFound("member, listing or event type"));
    let mut problem = Problem::from(error);
    let field = match owner {
        Some(RuleOwner::Listing(_)) => "/listing_id",
        Some(RuleOwner::EventType(_)) => "/event_type_id",
        Some(RuleOwner::Member(_)) | None => "/member_id",
    };
    if missing {
        problem.errors.push(FieldError::new(field, "there is no such thing"));
    }
    if owner.is_some()
        && let Some(error) = problem.errors.iter_mut().find(|error| error.field.is_empty())
    {
        field.clone_into(&mut error.field);
    }
    problem
}

impl Availability {
    /// Make rules, all or none.
    pub async fn create_rules(
        &self,
        caller: &Caller,
        owner: Option<RuleOwner>,
        rules: Vec<Rule>,
    ) -> Outcome<Vec<RuleRecord>> {
        if rules.len() > limits::HOURS_RULES_MAX {
            return Err(Problem::new(
                Code::TooLarge,
                format!("At most {} rules at once.", limits::HOURS_RULES_MAX),
            ));
        }
        let now = self.base.now();
        let mut made = Vec::with_capacity(rules.len());
        for rule in self.checked(caller, rules, owner).await? {
            made.push(RuleRecord {
                id: self.base.new_id(),
                tenant: caller.tenant,
                owner,
                rule,
                origin: None,
                revision: 1,
                created_at: now,
                updated_at: now,
            });
        }
        let noted = made.iter().map(|rule| (rule.clone(), self.base.audit(caller))).collect();
        self.base.store().create_rules(noted).await.map_err(|error| refused(error, owner))?;
        Ok(made)
    }

    /// Replace a rule.
    pub async fn replace_rule(
        &self,
        caller: &Caller,
        id: RuleId,
        owner: Option<RuleOwner>,
        rule: Rule,
        expected_revision: Option<i64>,
    ) -> Outcome<RuleRecord> {
        let kind = rule.kind();
        let rule = self.checked(caller, vec![rule], owner).await?.pop();
        let old = self.rule(caller, kind, id).await?;
        let revision = expected_revision.unwrap_or(old.revision);
        let record = RuleRecord { owner, rule: rule.unwrap_or(old.rule), ..old };
        let done = self.base.store().update_rule(record, revision, self.base.audit(caller)).await;
        done.map_err(|error| refused(error, owner))
    }

    /// A rule of this kind.
    pub async fn rule(&self, caller: &Caller, kind: RuleKind, id: RuleId) -> Outcome<RuleRecord> {
        Ok(self.base.store().rule(caller.tenant, kind, id).await?)
    }

    /// Rules of this kind by id.
    pub async fn list_rules(
        &self,
        caller: &Caller,
        kind: RuleKind,
        after: Option<RuleId>,
        limit: u32,
    ) -> Outcome<Vec<RuleRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_rules(caller.tenant, kind, after, limit).await?)
    }

    /// The slots that a pattern would offer; nothing is stored or looked up.
    pub async fn preview_pattern(&self, caller: &Caller, preview: PatternPreview) -> Outcome<Vec<Instant>> {
        let work = move |budget: &Budget| previewed(&preview, budget);
        self.computing.run_small(caller.tenant, true, limits::ANSWER_STEPS_MAX, work).await
    }

    /// Remove a rule.
    pub async fn delete_rule(&self, caller: &Caller, kind: RuleKind, id: RuleId) -> Outcome<()> {
        Ok(self.base.store().delete_rule(caller.tenant, kind, id, self.base.audit(caller)).await?)
    }
}

/// The slots that a pattern would offer.
fn previewed(preview: &PatternPreview, budget: &Budget) -> Outcome<Vec<Instant>> {
    let (mut fields, mut of_pattern) = (Fields::default(), Fields::default());
    Rule::Pattern(preview.pattern.clone()).check(&mut of_pattern);
    let inside = |error: FieldError| FieldError::new(format!("/pattern{}", error.field), error.message);
    fields.extend(of_pattern.into_errors().into_iter().map(inside));
    fields.range("/length_minutes", preview.length_minutes, 1, limits::MEETING_MINUTES_MAX);
    let step = preview.slot_interval_minutes.unwrap_or(preview.length_minutes);
    fields.range("/slot_interval_minutes", step, 1, limits::MEETING_MINUTES_MAX);
    let longest = limits::AVAILABILITY_DAYS_MAX.saturating_mul(86_400_000_000);
    if preview.within.end().micros_since(preview.within.start()) > longest {
        fields.bad("/to", format!("must be at most {} days after from", limits::AVAILABILITY_DAYS_MAX));
    }
    fields.finish()?;
    // It has no id before it is stored.
    let pattern = (RuleId::from_uuid(uuid::Uuid::nil()), &preview.pattern);
    let windows = pattern_windows(&[pattern], preview.time_zone, &[], preview.within, budget)?.windows;
    let host = Host {
        zone: preview.time_zone,
        unrestricted: windows.clone(),
        regular: windows.clone(),
        windows,
        taken: Vec::new(),
        fixed: false,
        group: None,
    };
    let question = Question {
        now: None,
        range: preview.within,
        meeting: Meeting {
            length_minutes: preview.length_minutes,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            seats: 1,
        },
        step_minutes: step,
        offset_minutes: 0,
        anchor: GridAnchor::AvailabilityWindowStart,
        round_up_minutes: None,
        grid_zone: None,
        team_mode: TeamMode::Single,
        notice_minutes: 0,
        limits: Vec::new(),
        booking_window: None,
        hosts: vec![host],
    };
    let starts: Vec<Instant> = question.offers(budget)?.into_iter().map(|offer| offer.start).collect();
    if starts.len() > limits::SLOTS_MAX {
        return Err(Problem::new(
            Code::MalformedParameter,
            format!("More than {} slots.", limits::SLOTS_MAX),
        )
        .with_hint("Ask for fewer days at a time."));
    }
    Ok(starts)
}
