//! When a member is open: weekly hours or patterns, with overrides, holidays and travel, cut by what the listing, the event type and the
//! restriction schedule say.

use berth_model::{
    hours::local_of,
    intervals::{intersection, merged},
    limits,
    member::{MemberRecord, WeeklyHours},
    problem::{Code, Problem},
    rule::{Override, Pattern, Rule, RuleOwner, RuleRecord},
    scheduling::windows::{DateOverride, OpenHours, Travel},
    time::{Interval, Zone},
};
use chrono::{NaiveDate, Weekday};

use crate::routing::Scene;

/// Open windows of one member.
#[derive(Debug, Clone)]
pub(super) struct Open {
    /// With everything.
    pub(super) windows: Vec<Interval>,
    /// Without what cuts everyone's hours.
    pub(super) unrestricted: Vec<Interval>,
    /// Without overrides and holidays either.
    pub(super) regular: Vec<Interval>,
    /// Time off.
    pub(super) away: Vec<Interval>,
}

/// The rules of a question, sorted by what they do.
#[derive(Debug, Clone)]
pub(super) struct Rules<'a>(pub(super) &'a [RuleRecord]);

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl<'a> Rules<'a> {
    fn of(&self, owner: RuleOwner) -> impl Iterator<Item = &'a Rule> {
        self.0.iter().filter(move |r| r.owner == Some(owner)).map(|r| &r.rule)
    }

    fn patterns(&self, owner: RuleOwner) -> Vec<&'a Pattern> {
        self.of(owner).filter_map(|r| if let Rule::Pattern(p) = r { Some(p) } else { None }).collect()
    }

    fn overrides(&self, owner: RuleOwner) -> Vec<DateOverride> {
        self.of(owner).filter_map(|r| if let Rule::Override(o) = r { Some(o.day()) } else { None }).collect()
    }

    /// Days on which the listing is closed.
    fn holidays(&self, owner: RuleOwner) -> Vec<NaiveDate> {
        let days = self.of(owner).filter_map(|r| if let Rule::Holiday(h) = r { Some(h) } else { None });
        days.flat_map(|h| h.date.iter_days().take_while(|d| *d <= h.last_date.unwrap_or(h.date)))
            .take(limits::HOURS_RULES_MAX)
            .collect()
    }

    /// When the listing, or the event type, lets its people be booked; none if it says nothing of hours.
    fn cut(&self, owner: RuleOwner, zone: Zone, seen: Interval) -> Result<Option<Vec<Interval>>, Problem> {
        let (patterns, overrides) = (self.patterns(owner), self.overrides(owner));
        if patterns.is_empty() && overrides.is_empty() {
            return Ok(None);
        }
        if patterns.is_empty() {
            // Only some days differ: the others are open as far as this goes.
            let day = WeeklyHours { weekdays: WEEK.to_vec(), start: chrono::NaiveTime::MIN, end: None };
            let hours = OpenHours { overrides, ..OpenHours::weekly(zone, vec![day]) };
            return Ok(Some(hours.windows(seen)));
        }
        pattern_windows(&patterns, zone, &overrides, &[], seen).map(Some)
    }

    /// When a member is open.
    pub(super) fn open(&self, scene: &Scene, member: &MemberRecord, seen: Interval) -> Result<Open, Problem> {
        let own = RuleOwner::Member(member.id);
        let listing = RuleOwner::Listing(scene.listing.id);
        let zone = member.time_zone;
        let overrides = self.overrides(own);
        let mut closed = self.holidays(listing);
        // A member's own override opens a holiday.
        closed.retain(|day| overrides.iter().all(|o| o.date != *day));
        let travel: Vec<Travel> = self
            .of(own)
            .filter_map(|r| if let Rule::Travel(t) = r { Some(t) } else { None })
            .map(|t| Travel { from: t.from, to: t.to, zone: t.time_zone })
            .collect();
        let away = self.of(own).filter_map(|r| if let Rule::OutOfOffice(a) = r { Some(a) } else { None });
        let away = merged(away.filter_map(|a| Interval::new(a.start, a.end).ok()).collect());
        let patterns = self.patterns(own);
        let (unrestricted, regular) = if patterns.is_empty() {
            let hours = OpenHours { zone, weekly: member.weekly_hours.clone(), overrides, closed, travel };
            (hours.windows(seen), hours.regular().windows(seen))
        } else {
            (
                pattern_windows(&patterns, zone, &overrides, &closed, seen)?,
                pattern_windows(&patterns, zone, &[], &[], seen)?,
            )
        };
        let mut windows = unrestricted.clone();
        let event_type = RuleOwner::EventType(scene.event_type.id);
        for cut in [
            self.cut(listing, scene.listing.time_zone, seen)?,
            self.cut(event_type, scene.listing.time_zone, seen)?,
        ]
        .into_iter()
        .flatten()
        {
            windows = intersection(&windows, &cut);
        }
        if let Some(named) = scene.event_type.policy.restriction_schedule {
            let record = self.0.iter().find(|r| r.id.uuid() == named.uuid());
            let allowed = match record.map(|r| &r.rule) {
                Some(Rule::RestrictionSchedule(schedule)) => OpenHours {
                    overrides: schedule.overrides.iter().map(Override::day).collect(),
                    ..OpenHours::weekly(schedule.time_zone, schedule.weekly_hours.clone())
                }
                .windows(seen),
                // It was removed: better closed than open when nobody wants it.
                _ => Vec::new(),
            };
            windows = intersection(&windows, &allowed);
        }
        Ok(Open { windows, unrestricted, regular, away })
    }
}

/// Open windows of patterns: each on its own clock, with these days replaced and these closed.
pub(crate) fn pattern_windows(
    patterns: &[&Pattern],
    zone: Zone,
    overrides: &[DateOverride],
    closed: &[NaiveDate],
    seen: Interval,
) -> Result<Vec<Interval>, Problem> {
    let mut windows = Vec::new();
    for pattern in patterns {
        let clock = pattern.time_zone.unwrap_or(zone);
        let differs = |day: NaiveDate| closed.contains(&day) || overrides.iter().any(|o| o.date == day);
        if let Some(hours) = &pattern.hours {
            let rule = WeeklyHours { weekdays: pattern.weekdays.clone(), start: hours.start, end: hours.end };
            let weekly = OpenHours {
                closed: closed.iter().copied().chain(overrides.iter().map(|o| o.date)).collect(),
                ..OpenHours::weekly(clock, vec![rule])
            };
            let valid = |w: &Interval| {
                let day = local_of(clock, w.start()).date();
                pattern.valid_from.is_none_or(|from| from <= day)
                    && pattern.valid_to.is_none_or(|to| day <= to)
            };
            windows.extend(weekly.windows(seen).into_iter().filter(valid));
        }
        if let Some(recurrence) = pattern.recurrence(zone) {
            let minutes = pattern.duration_minutes.unwrap_or(1);
            let starts = recurrence
                .checked()
                .and_then(|checked| checked.occurrences(seen.widened(minutes, 0), limits::OCCURRENCES_MAX))
                .map_err(|error| {
                    Problem::new(Code::Invalid, format!("A pattern cannot be expanded: {error}"))
                        .with_hint("Change its rrule, or begin it later.")
                })?;
            let open = starts.into_iter().filter(|start| !differs(local_of(clock, *start).date()));
            windows.extend(open.filter_map(|start| Interval::of_minutes(start, minutes).intersection(seen)));
        }
    }
    let instead = OpenHours { overrides: overrides.to_vec(), ..OpenHours::weekly(zone, Vec::new()) };
    windows.extend(instead.windows(seen));
    Ok(merged(windows))
}
