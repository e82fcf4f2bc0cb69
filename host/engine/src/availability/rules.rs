//! Availability rules: made, read, changed; and a preview of what a pattern would offer.

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus},
        lists::{Bound, WantedStates},
    },
    budget::Budget,
    id::{EventTypeId, ListingId, MemberId, RuleId},
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
use berth_store::{
    StoreError,
    records::{BookingFilter, RuleFilter},
};

use super::pattern_windows;
use crate::{Caller, Outcome, availability::Availability, validate::Fields};

/// A pattern that is looked at.
#[derive(Debug, Clone)]
pub enum PreviewOf {
    /// One that is there.
    Kept(RuleId),
    /// One that is not saved.
    Unsaved(Pattern),
}

/// What a pattern would offer.
#[derive(Debug, Clone)]
pub struct PatternPreview {
    /// Which.
    pub of: PreviewOf,
    /// The clock of a pattern that names none, and of days; none: its owner's.
    pub time_zone: Option<Zone>,
    /// From when to when.
    pub within: (Bound, Bound),
    /// None: that of the event type whose pattern it is.
    pub length_minutes: Option<u32>,
    /// None: that of the event type whose pattern it is, or the length.
    pub slot_interval_minutes: Option<u32>,
}

/// The starts that a pattern offers.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PatternSlots {
    pub starts: Vec<Instant>,
    pub length_minutes: u32,
    pub time_zone: Zone,
}

/// A preview in which nothing is left to look up.
struct Previewed {
    pattern: Pattern,
    zone: Option<Zone>,
    within: Interval,
    length_minutes: Option<u32>,
    step_minutes: Option<u32>,
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
        RuleKind::RestrictionSchedule | RuleKind::Schedule => {
            (owner.is_none(), "the schedule is named by whom it is for, not the other way round")
        }
    };
    if !needed {
        let field = match rule.kind() {
            RuleKind::Holiday => "/listing_id",
            RuleKind::Pattern | RuleKind::Override | RuleKind::OutOfOffice | RuleKind::Travel => "/member_id",
            RuleKind::RestrictionSchedule | RuleKind::Schedule => "",
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
        filter: RuleFilter,
        after: Option<RuleId>,
        limit: u32,
    ) -> Outcome<Vec<RuleRecord>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_rules(caller.tenant, kind, filter, after, limit).await?)
    }

    /// Bookings of a member that overlap a stretch of time and are not over: how many, and the first of them.
    pub async fn booked_within(
        &self,
        caller: &Caller,
        member: MemberId,
        within: Interval,
    ) -> Outcome<(i64, Vec<Booking>)> {
        let filter = BookingFilter {
            member: Some(member),
            within: Some(within),
            states: WantedStates::of([BookingStatus::Pending, BookingStatus::Confirmed]),
            ..BookingFilter::default()
        };
        let store = self.base.store();
        let first = store.list_bookings(caller.tenant, filter.clone(), limits::TIME_OFF_BOOKINGS_MAX).await?;
        let count = i64::try_from(first.len()).unwrap_or(i64::MAX);
        if count < i64::from(limits::TIME_OFF_BOOKINGS_MAX) {
            return Ok((count, first));
        }
        Ok((store.how_many_bookings(caller.tenant, filter).await?, first))
    }

    /// The slots that a pattern would offer, whatever else is open, closed or taken; nothing is stored.
    pub async fn preview_pattern(&self, caller: &Caller, preview: PatternPreview) -> Outcome<PatternSlots> {
        let PatternPreview { of, time_zone, within: (from, to), length_minutes, slot_interval_minutes } =
            preview;
        let (pattern, owners_zone, event_type) = match of {
            PreviewOf::Unsaved(pattern) => (pattern, None, None),
            PreviewOf::Kept(id) => {
                let (pattern, zone, event_type) = self.kept_pattern(caller, id).await?;
                (pattern, Some(zone), event_type)
            }
        };
        let zone = time_zone.or(owners_zone);
        let clock = pattern.time_zone.or(zone).unwrap_or(Zone::UTC);
        let days = time_zone.unwrap_or(clock);
        let within = Interval::new(from.begins(days), to.ends(days))
            .map_err(|_| Problem::invalid(vec![FieldError::new("/to", "must not be before from")]))?;
        let length_minutes = length_minutes.or(event_type.map(|(length, _)| length));
        let step_minutes = slot_interval_minutes.or(event_type.and_then(|(_, step)| step)).or(length_minutes);
        let preview = Previewed { pattern, zone, within, length_minutes, step_minutes };
        let work = move |budget: &Budget| previewed(&preview, budget);
        let starts = self.computing.run_small(caller.tenant, true, limits::ANSWER_STEPS_MAX, work).await?;
        Ok(PatternSlots { starts, length_minutes: length_minutes.unwrap_or_default(), time_zone: clock })
    }

    /// A pattern that is there, the clock of whom it is of, and the length and the distance of starts of its event type.
    async fn kept_pattern(
        &self,
        caller: &Caller,
        id: RuleId,
    ) -> Outcome<(Pattern, Zone, Option<(u32, Option<u32>)>)> {
        let store = self.base.store();
        let missing = || Problem::invalid(vec![FieldError::new("/pattern_id", "there is no such pattern")]);
        let record = match store.rule(caller.tenant, RuleKind::Pattern, id).await {
            Ok(record) => record,
            Err(StoreError::NotFound(_)) => return Err(missing()),
            Err(error) => return Err(error.into()),
        };
        let Rule::Pattern(pattern) = record.rule else { return Err(missing()) };
        Ok(match record.owner {
            None => return Err(missing()),
            Some(RuleOwner::Member(member)) => {
                (pattern, store.member(caller.tenant, member).await?.time_zone, None)
            }
            Some(RuleOwner::Listing(listing)) => {
                (pattern, store.listing(caller.tenant, listing).await?.time_zone, None)
            }
            Some(RuleOwner::EventType(event_type)) => {
                let event_type = store.event_type(caller.tenant, event_type).await?;
                let zone = store.listing(caller.tenant, event_type.listing).await?.time_zone;
                (pattern, zone, Some((event_type.length_minutes, event_type.slot_interval_minutes)))
            }
        })
    }

    /// Refuse a listing that is named beside an event type and is not its own.
    pub async fn must_be_of(
        &self,
        caller: &Caller,
        event_type: EventTypeId,
        listing: ListingId,
    ) -> Outcome<()> {
        let (field, message) = match self.base.store().event_type(caller.tenant, event_type).await {
            Ok(event_type) if event_type.listing == listing => return Ok(()),
            Ok(_) => ("/listing_id", "is not the listing of the event type; leave it out"),
            Err(StoreError::NotFound(_)) => ("/event_type_id", "there is no such thing"),
            Err(error) => return Err(error.into()),
        };
        Err(Problem::invalid(vec![FieldError::new(field, message)]))
    }

    /// Remove a rule.
    pub async fn delete_rule(&self, caller: &Caller, kind: RuleKind, id: RuleId) -> Outcome<()> {
        match self.base.store().delete_rule(caller.tenant, kind, id, self.base.audit(caller)).await {
            Err(StoreError::InUse(_)) if kind == RuleKind::Schedule => Err(self.still_used(caller, id).await),
            done => Ok(done?),
        }
    }

    /// Why a schedule cannot be removed: who names it, as far as there is room.
    async fn still_used(&self, caller: &Caller, id: RuleId) -> Problem {
        let users = match self.base.store().schedule_users(caller.tenant, id).await {
            Ok(users) => users,
            Err(error) => return Problem::from(error),
        };
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let mut problem = Problem::new(Code::ScheduleInUse, format!("It is named by {}.", names.join(", ")));
        problem.extra.insert("used_by".to_owned(), serde_json::json!(users));
        problem
    }
}

/// The slots that a pattern would offer.
fn previewed(preview: &Previewed, budget: &Budget) -> Outcome<Vec<Instant>> {
    let (mut fields, mut of_pattern) = (Fields::default(), Fields::default());
    Rule::Pattern(preview.pattern.clone()).check(&mut of_pattern);
    let inside = |error: FieldError| FieldError::new(format!("/pattern{}", error.field), error.message);
    fields.extend(of_pattern.into_errors().into_iter().map(inside));
    if preview.zone.is_none() {
        fields.bad("/time_zone", "is required with a pattern that is not saved");
    }
    match preview.length_minutes {
        None => fields.bad(
            "/length_minutes",
            "is required: the pattern is not one of an event type, which has a length",
        ),
        Some(length) => {
            let step = preview.step_minutes.unwrap_or(length);
            fields.range("/length_minutes", length, 1, limits::MEETING_MINUTES_MAX);
            fields.range("/slot_interval_minutes", step, 1, limits::MEETING_MINUTES_MAX);
        }
    }
    let longest = limits::AVAILABILITY_DAYS_MAX.saturating_mul(86_400_000_000);
    if preview.within.end().micros_since(preview.within.start()) > longest {
        fields.bad("/to", format!("must be at most {} days after from", limits::AVAILABILITY_DAYS_MAX));
    }
    fields.finish()?;
    let zone = preview.zone.unwrap_or(Zone::UTC);
    let length_minutes = preview.length_minutes.unwrap_or_default();
    // It has no id before it is stored.
    let pattern = (RuleId::from_uuid(uuid::Uuid::nil()), &preview.pattern);
    let windows = pattern_windows(&[pattern], zone, &[], preview.within, budget)?.windows;
    let host = Host {
        zone,
        unrestricted: windows.clone(),
        regular: windows.clone(),
        bounds: Vec::new(),
        windows,
        taken: Vec::new(),
        fixed: false,
        group: None,
    };
    let question = Question {
        now: None,
        range: preview.within,
        meeting: Meeting { length_minutes, buffer_before_minutes: 0, buffer_after_minutes: 0, seats: 1 },
        step_minutes: preview.step_minutes.unwrap_or(length_minutes),
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
