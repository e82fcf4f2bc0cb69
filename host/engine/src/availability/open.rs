//! When a member is open: weekly hours or patterns, with overrides, holidays and travel, cut by what the listing, the event type and the
//! restriction schedule say.

use std::collections::{HashMap, HashSet};

use berth_model::{
    budget::{Budget, Exhausted},
    catalog::member::{MemberRecord, WeeklyHours},
    id::{Id, RuleId, ScheduleId},
    intervals::{intersection, merged, subtraction},
    limits,
    scheduling::{
        hours::{civil_day, day_start},
        reason::Reason,
        rule::{Override, Pattern, Rule, RuleOwner, RuleRecord},
        schedule::{Kept, Schedule, bounded},
        windows::{DateOverride, OpenHours, Travel},
    },
    time::{Instant, Interval},
    zone::Zone,
};
use chrono::{NaiveDate, Weekday};

use crate::connections::routing::BookingContext;

/// Windows by the clock that they are read on.
type OnClocks = Vec<(Zone, Vec<Interval>)>;

/// Open windows of one member.
#[derive(Debug, Clone)]
pub(super) struct OpenTimes {
    /// With everything.
    pub(super) windows: Vec<Interval>,
    /// Without what cuts everyone's hours.
    pub(super) unrestricted: Vec<Interval>,
    /// Without overrides and holidays either.
    pub(super) regular: Vec<Interval>,
    /// Time off.
    pub(super) away: Vec<Interval>,
    /// What cuts these hours under a name of its own.
    pub(super) bounds: Vec<(Reason, Vec<Interval>)>,
    /// Patterns that could not be followed, and open nothing.
    pub(super) left_out: Vec<RuleId>,
}

/// What cuts everyone's hours.
#[derive(Debug, Clone)]
pub(super) struct Cuts {
    /// Only then; none: always.
    windows: Option<Vec<Interval>>,
    /// Only when the tenant is open; none: always.
    opening: Option<Vec<Interval>>,
    /// Only then, by the clock of whom it is asked for; none: always.
    schedule: Option<Vec<(Zone, Vec<Interval>)>>,
    /// Patterns that could not be followed.
    pub(super) left_out: Vec<RuleId>,
    /// When the listing is closed, but for what a member's override opens: whole days on the listing's clock.
    holidays: Vec<Interval>,
}

/// The rules of a question, by whom they bear on.
#[derive(Debug, Clone)]
pub(super) struct Rules<'a> {
    of: HashMap<RuleOwner, Vec<&'a RuleRecord>>,
    restriction: Option<&'a Rule>,
    schedules: HashMap<ScheduleId, &'a Schedule>,
}

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl<'a> Rules<'a> {
    pub(super) fn new(ctx: &BookingContext, rules: &'a [RuleRecord]) -> Self {
        let mut of: HashMap<RuleOwner, Vec<&'a RuleRecord>> = HashMap::new();
        for record in rules {
            if let Some(owner) = record.owner {
                of.entry(owner).or_default().push(record);
            }
        }
        let named = ctx.event_type.policy.restriction_schedule.map(Id::uuid);
        let restriction = rules.iter().find(|r| Some(r.id.uuid()) == named).map(|r| &r.rule);
        let schedules = rules.iter().filter_map(|r| match &r.rule {
            Rule::Schedule(schedule) => Some((ScheduleId::from_uuid(r.id.uuid()), schedule)),
            _ => None,
        });
        Self { of, restriction, schedules: schedules.collect() }
    }

    /// What a schedule opens on this clock, unless it names one. One that is not there opens nothing: better closed than open when nobody
    /// wants it.
    fn scheduled(
        &self,
        schedule: ScheduleId,
        own: Zone,
        seen: Interval,
        budget: &Budget,
    ) -> Result<Vec<Interval>, Exhausted> {
        self.schedules
            .get(&schedule)
            .map_or(Ok(Vec::new()), |schedule| schedule.hours(own).windows(seen, budget))
    }

    /// What the event type's schedule opens, for the clock of each of its members.
    fn of_event_type(
        &self,
        ctx: &BookingContext,
        seen: Interval,
        budget: &Budget,
    ) -> Result<Option<OnClocks>, Exhausted> {
        let Some(schedule) = ctx.event_type.policy.schedule_id else { return Ok(None) };
        let mut found = OnClocks::new();
        for member in &ctx.members {
            if found.iter().all(|(zone, _)| *zone != member.time_zone) {
                let windows = self.scheduled(schedule, member.time_zone, seen, budget)?;
                found.push((member.time_zone, windows));
            }
        }
        Ok(Some(found))
    }

    fn records(&self, owner: RuleOwner) -> impl Iterator<Item = &'a RuleRecord> {
        self.of.get(&owner).into_iter().flatten().copied()
    }

    fn of(&self, owner: RuleOwner) -> impl Iterator<Item = &'a Rule> {
        self.records(owner).map(|r| &r.rule)
    }

    fn patterns(&self, owner: RuleOwner) -> Vec<(RuleId, &'a Pattern)> {
        let own = self.records(owner);
        own.filter_map(|r| if let Rule::Pattern(p) = &r.rule { Some((r.id, p)) } else { None }).collect()
    }

    fn overrides(&self, owner: RuleOwner) -> Vec<DateOverride> {
        self.of(owner).filter_map(|r| if let Rule::Override(o) = r { Some(o.day()) } else { None }).collect()
    }

    /// When the listing is closed, around an interval: its days begin and end on its own clock, whoever is booked there.
    ///
    /// # Errors
    /// Each holiday is a step of the budget.
    fn holidays(
        &self,
        listing: RuleOwner,
        zone: Zone,
        seen: Interval,
        budget: &Budget,
    ) -> Result<Vec<Interval>, Exhausted> {
        let days = self.of(listing).filter_map(|r| if let Rule::Holiday(h) = r { Some(h) } else { None });
        let mut closed = Vec::new();
        for holiday in days {
            budget.spend(1)?;
            let after = holiday.last_date.unwrap_or(holiday.date).succ_opt();
            let end = after.map_or(Instant::MAX, |after| day_start(zone, after));
            // A day that the zone skipped has no length.
            let day = Interval::new(day_start(zone, holiday.date), end).ok();
            closed.extend(day.and_then(|day| day.intersection(seen)));
        }
        Ok(merged(closed))
    }

    /// What cuts everyone's hours: the listing's and the event type's rules, the restriction schedule, holidays.
    ///
    /// # Errors
    /// It takes days × rules, and the occurrences of patterns, of the budget.
    pub(super) fn cuts(
        &self,
        ctx: &BookingContext,
        seen: Interval,
        budget: &Budget,
    ) -> Result<Cuts, Exhausted> {
        let listing = RuleOwner::Listing(ctx.listing.id);
        let event_type = RuleOwner::EventType(ctx.event_type.id);
        let (mut windows, mut left_out): (Option<Vec<Interval>>, _) = (None, Vec::new());
        let mut cut = |by: Vec<Interval>| {
            windows = Some(windows.take().map_or(by.clone(), |windows| intersection(&windows, &by)));
        };
        for owner in [listing, event_type] {
            if let Some(found) = self.cut(owner, ctx.listing.time_zone, seen, budget)? {
                cut(found.windows);
                left_out.extend(found.left_out);
            }
        }
        if ctx.event_type.policy.restriction_schedule.is_some() {
            cut(match self.restriction {
                Some(Rule::RestrictionSchedule(schedule)) => OpenHours {
                    overrides: schedule.overrides.iter().map(Override::day).collect(),
                    ..OpenHours::weekly(schedule.time_zone, schedule.weekly_hours.clone())
                }
                .windows(seen, budget)?,
                // It was removed: better closed than open when nobody wants it.
                _ => Vec::new(),
            });
        }
        let holidays = self.holidays(listing, ctx.listing.time_zone, seen, budget)?;
        let opening = ctx.tenant.settings.opening_schedule_id;
        let opening = opening.map(|schedule| self.scheduled(schedule, ctx.listing.time_zone, seen, budget));
        let (opening, schedule) = (opening.transpose()?, self.of_event_type(ctx, seen, budget)?);
        Ok(Cuts { windows, opening, schedule, left_out, holidays })
    }

    /// When the listing, or the event type, lets its people be booked; none if it says nothing of hours.
    fn cut(
        &self,
        owner: RuleOwner,
        zone: Zone,
        seen: Interval,
        budget: &Budget,
    ) -> Result<Option<PatternWindows>, Exhausted> {
        let (patterns, overrides) = (self.patterns(owner), self.overrides(owner));
        if patterns.is_empty() && overrides.is_empty() {
            return Ok(None);
        }
        if patterns.is_empty() {
            // Only some days differ: the others are open as far as this goes.
            let day = WeeklyHours { weekdays: WEEK.to_vec(), start: chrono::NaiveTime::MIN, end: None };
            let hours = OpenHours { overrides, ..OpenHours::weekly(zone, vec![day]) };
            let windows = hours.windows(seen, budget)?;
            return Ok(Some(PatternWindows { windows, ..PatternWindows::default() }));
        }
        pattern_windows(&patterns, zone, &overrides, seen, budget).map(Some)
    }

    /// When a member is open.
    ///
    /// # Errors
    /// It takes days × rules, and the occurrences of patterns, of the budget.
    pub(super) fn open(
        &self,
        cuts: &Cuts,
        member: &MemberRecord,
        seen: Interval,
        budget: &Budget,
    ) -> Result<OpenTimes, Exhausted> {
        let own = RuleOwner::Member(member.id);
        let zone = member.time_zone;
        let overrides = self.overrides(own);
        let travel: Vec<Travel> = self
            .of(own)
            .filter_map(|r| if let Rule::Travel(t) = r { Some(t) } else { None })
            .map(|t| Travel { from: t.from, to: t.to, zone: t.time_zone })
            .collect();
        let away = self.of(own).filter_map(|r| if let Rule::OutOfOffice(a) = r { Some(a) } else { None });
        let away = merged(away.filter_map(|a| Interval::new(a.start, a.end).ok()).collect());
        let patterns = self.patterns(own);
        // Patterns stay where they are when their member travels.
        let travel = if patterns.is_empty() { travel } else { Vec::new() };
        let instead = OpenHours { zone, weekly: Vec::new(), overrides, closed: Vec::new(), travel };
        let kept = member.schedule.filter(|_| patterns.is_empty());
        let PatternWindows { windows: mut unrestricted, regular, left_out } = if let Some(schedule) = kept {
            let Kept { windows, regular } = match self.schedules.get(&schedule) {
                Some(schedule) => schedule.kept(&instead, seen, budget)?,
                None => Kept::default(),
            };
            PatternWindows { windows, regular, left_out: Vec::new() }
        } else if patterns.is_empty() {
            let hours = OpenHours { weekly: member.weekly_hours.clone(), ..instead.clone() };
            PatternWindows {
                windows: hours.windows(seen, budget)?,
                regular: hours.regular().windows(seen, budget)?,
                left_out: Vec::new(),
            }
        } else {
            pattern_windows(&patterns, zone, &instead.overrides, seen, budget)?
        };
        if !cuts.holidays.is_empty() {
            budget.spend_each(unrestricted.len().saturating_add(cuts.holidays.len()))?;
            unrestricted = subtraction(&unrestricted, &cuts.holidays);
            // What a member's own override opens is open on a holiday, too.
            unrestricted.extend(instead.windows(seen, budget)?);
            unrestricted = merged(unrestricted);
        }
        let bounds = cuts.bounds(zone);
        let all = cuts.windows.iter().chain(bounds.iter().map(|(_, windows)| windows));
        let windows = bounded(&unrestricted, all.map(Vec::as_slice));
        Ok(OpenTimes { windows, unrestricted, regular, away, bounds, left_out })
    }
}

impl Cuts {
    /// What cuts the hours of a member on this clock under a name of its own, the tenant's word first.
    fn bounds(&self, zone: Zone) -> Vec<(Reason, Vec<Interval>)> {
        let opening = self.opening.iter().map(|windows| (Reason::OpeningHours, windows.clone()));
        let schedule = self.schedule.iter().map(|zones| {
            let own = zones.iter().find(|(of, _)| *of == zone);
            (Reason::Schedule, own.map(|(_, windows)| windows.clone()).unwrap_or_default())
        });
        opening.chain(schedule).collect()
    }
}

/// What patterns open.
#[derive(Debug, Clone, Default)]
pub(crate) struct PatternWindows {
    /// With everything.
    pub(crate) windows: Vec<Interval>,
    /// Without the days that differ.
    pub(crate) regular: Vec<Interval>,
    /// Those that could not be followed, and open nothing.
    pub(crate) left_out: Vec<RuleId>,
}

/// Open windows of patterns: each on its own clock, with these days replaced. A pattern that takes too many steps by
/// itself (an older version may have stored one) opens nothing, so that it does not end the whole answer.
pub(crate) fn pattern_windows(
    patterns: &[(RuleId, &Pattern)],
    zone: Zone,
    overrides: &[DateOverride],
    seen: Interval,
    budget: &Budget,
) -> Result<PatternWindows, Exhausted> {
    let differs: Vec<NaiveDate> = overrides.iter().map(|o| o.date).collect();
    let differing: HashSet<NaiveDate> = differs.iter().copied().collect();
    let mut found = PatternWindows::default();
    for (id, pattern) in patterns {
        let windows = budget.part(limits::STORED_RULE_STEPS_MAX, |own| {
            let weekly = weekly(pattern, zone, &differs, seen, own)?;
            recurring(pattern, zone, &differing, seen, own)
                .map(|starts| starts.map(|starts| (weekly, starts)))
        });
        match windows {
            Ok(Some((weekly, recurring))) => {
                found.windows.extend(weekly.0.into_iter().chain(recurring.0));
                found.regular.extend(weekly.1.into_iter().chain(recurring.1));
            }
            Ok(None) => found.left_out.push(*id),
            Err(Exhausted::Steps) if budget.left() > 0 => found.left_out.push(*id),
            Err(exhausted) => return Err(exhausted),
        }
    }
    let instead = OpenHours { overrides: overrides.to_vec(), ..OpenHours::weekly(zone, Vec::new()) };
    found.windows.extend(instead.windows(seen, budget)?);
    Ok(PatternWindows { windows: merged(found.windows), regular: merged(found.regular), ..found })
}

/// Windows without the days that differ, and with them.
type Both = (Vec<Interval>, Vec<Interval>);

/// What the weekly spelling of a pattern opens.
fn weekly(
    pattern: &Pattern,
    zone: Zone,
    differs: &[NaiveDate],
    seen: Interval,
    budget: &Budget,
) -> Result<Both, Exhausted> {
    let Some(hours) = &pattern.hours else { return Ok(Both::default()) };
    let clock = pattern.time_zone.unwrap_or(zone);
    let from = pattern.valid_from.map_or(seen.start(), |first| day_start(clock, first));
    let last = pattern.valid_to.and_then(|last| last.succ_opt());
    let to = last.map_or(seen.end(), |after| day_start(clock, after));
    let valid = Interval::new(from, to).ok().and_then(|valid| valid.intersection(seen));
    let Some(valid) = valid else { return Ok(Both::default()) };
    let rule = WeeklyHours { weekdays: pattern.weekdays.clone(), start: hours.start, end: hours.end };
    let regular = OpenHours::weekly(clock, vec![rule]);
    let open = OpenHours { closed: differs.to_vec(), ..regular.clone() };
    Ok((open.windows(valid, budget)?, regular.windows(valid, budget)?))
}

/// What the recurring spelling of a pattern opens; none if its rule cannot be read.
fn recurring(
    pattern: &Pattern,
    zone: Zone,
    differs: &HashSet<NaiveDate>,
    seen: Interval,
    budget: &Budget,
) -> Result<Option<Both>, Exhausted> {
    let Some(recurrence) = pattern.recurrence(zone) else { return Ok(Some(Both::default())) };
    let Ok(stored) = recurrence.stored() else { return Ok(None) };
    let clock = pattern.time_zone.unwrap_or(zone);
    let minutes = pattern.duration_minutes.unwrap_or(1);
    let starts = stored.occurrences(seen.widened(minutes, 0), usize::MAX, budget)?;
    let window = |start: &Instant| Interval::of_minutes(*start, minutes).intersection(seen);
    let usual = |start: &&Instant| !differs.contains(&civil_day(clock, **start));
    let open = starts.iter().filter(usual).filter_map(window).collect();
    Ok(Some((open, starts.iter().filter_map(window).collect())))
}
