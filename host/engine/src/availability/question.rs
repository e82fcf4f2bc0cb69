//! From records to the question of the pure core.

use std::collections::{BTreeMap, BTreeSet};

use berth_model::{
    budget::{Budget, Exhausted},
    calendars::calendar::joined_of,
    catalog::member::MemberRecord,
    id::{MemberId, RuleId},
    limits,
    problem::{FieldError, Problem},
    scheduling::{
        busy::{BusyKind, BusyTime},
        hours::{civil_day, day_start},
        meeting::Meeting,
        question::{Host, Question},
        rule::RuleRecord,
        rules::{BookingWindow, DayCount, GridAnchor, TeamMode},
    },
    time::{Instant, Interval},
    zone::Zone,
};
use berth_store::records::SeenOccupancy;
use chrono::{Datelike, Days};

use super::{
    external::ProviderAvailability,
    open::{Cuts, OpenTimes, Rules},
};
use crate::connections::routing::BookingContext;

/// What is asked of a booking context.
#[derive(Debug, Clone, Copy)]
pub(super) struct SearchInput {
    pub(super) now: Instant,
    /// Slots lie wholly inside.
    pub(super) within: Interval,
    pub(super) length_minutes: u32,
    /// When a booking takes place that moves: not in its own way.
    pub(super) moving: Option<Interval>,
}

/// How far ahead this event type can be booked.
fn booking_window(ctx: &BookingContext) -> BookingWindow {
    ctx.event_type.policy.booking_window.unwrap_or(BookingWindow::Rolling {
        days: ctx.event_type.booking_window_days,
        count: DayCount::Calendar,
        timezone: None,
    })
}

/// From the Monday before the week of an instant: a window that is open around the clock has the same grid wherever the question
/// begins.
fn opening(zone: Zone, at: Instant) -> Instant {
    let day = civil_day(zone, at);
    let back = u64::from(day.weekday().num_days_from_monday()).saturating_add(7);
    day.checked_sub_days(Days::new(back)).map_or(at, |monday| day_start(zone, monday))
}

/// The stretch of time whose taken places bear on the answer: the range and what its buffers reach, the free days that a window
/// counts from today, and the whole periods of limits.
pub(super) fn relevant(ctx: &BookingContext, input: SearchInput) -> Interval {
    let policy = &ctx.event_type.policy;
    let mut seen = input.within;
    if let Some(counted) = counted(ctx, input) {
        seen = seen.joined(counted);
    }
    for zone in ctx.members.iter().map(|m| m.time_zone) {
        for limit in &policy.limits {
            let whole =
                limit.period_of(zone, input.within.start()).joined(limit.period_of(zone, input.within.end()));
            seen = seen.joined(whole);
        }
        if policy.grid.anchor == GridAnchor::FreeWindowStart {
            seen = seen.joined(Interval::of_minutes(opening(zone, input.within.start()), 0));
        }
    }
    seen.widened(limits::MEETING_MINUTES_MAX, limits::MEETING_MINUTES_MAX)
}

fn minutes_between(from: Instant, to: Instant) -> u32 {
    u32::try_from(to.micros_since(from) / 60_000_000).unwrap_or(0)
}

fn taken(ctx: &BookingContext, place: &SeenOccupancy) -> BusyTime {
    let same = place.same_event_type;
    let by = match (same && ctx.event_type.policy.seats > 1, place.hold) {
        (true, false) => BusyKind::Session { seats: 1 },
        (true, true) => BusyKind::SeatHold,
        (false, false) => BusyKind::Busy,
        (false, true) => BusyKind::Hold,
    };
    BusyTime {
        when: place.when,
        buffer_before_minutes: minutes_between(place.padded.start(), place.when.start()),
        buffer_after_minutes: minutes_between(place.when.end(), place.padded.end()),
        by,
        counts: same && !place.hold,
    }
}

fn host(
    ctx: &BookingContext,
    member: &MemberRecord,
    input: SearchInput,
    inputs: Inputs<'_>,
    (rules, cuts): (&Rules<'_>, &Cuts),
    seen: Interval,
    budget: &Budget,
) -> Result<(Host, Vec<RuleId>), Exhausted> {
    let Inputs { places, external, calendars, .. } = inputs;
    let zone = member.time_zone;
    let from = opening(zone, seen.start()).min(seen.start());
    let seen = Interval::new(from, seen.end()).unwrap_or(seen);
    let OpenTimes { windows, unrestricted, regular, away, bounds, left_out } =
        rules.open(cuts, member, seen, budget)?;
    let places = places.iter().filter(|(id, _)| *id == member.id).flat_map(|(_, places)| places);
    let places: Vec<&SeenOccupancy> = places.collect();
    budget.spend_each(places.len())?;
    let mut taken: Vec<BusyTime> = places.iter().map(|place| taken(ctx, place)).collect();
    let of_all = match external {
        Some(ProviderAvailability::Busy(busy)) => busy.as_slice(),
        Some(ProviderAvailability::Starts(_)) | None => &[],
    };
    let of_member = calendars.get(&member.id).map(Vec::as_slice).unwrap_or_default();
    if !of_all.is_empty() || !of_member.is_empty() {
        // The counterpart of a booking of ours takes the same time again: the booking says better what is left of it, seats that are free
        // say. When a booking moves, its own time is not in its way.
        let ours: BTreeSet<Interval> = places.iter().map(|place| place.when).chain(input.moving).collect();
        let ours: Vec<Interval> = ours.into_iter().collect();
        budget.spend_each(of_all.len().saturating_add(of_member.len()))?;
        let busy = of_all.iter().chain(of_member).filter(|b| !joined_of(&ours, **b));
        taken.extend(busy.map(|when| BusyTime::of(*when)));
    }
    taken.extend(away.into_iter().map(BusyTime::of));
    if inputs.hidden.contains(&member.id) {
        taken.push(BusyTime::of(UNKNOWN));
    }
    let (fixed, group) = ctx.event_type.role_of(member.id);
    let group = group.map(str::to_owned);
    Ok((Host { zone, windows, unrestricted, regular, bounds, taken, fixed, group }, left_out))
}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) places: &'a [(MemberId, Vec<SeenOccupancy>)],
    pub(super) external: Option<&'a ProviderAvailability>,
    /// Busy times of members' own calendars.
    pub(super) calendars: &'a BTreeMap<MemberId, Vec<Interval>>,
    pub(super) rules: &'a [RuleRecord],
    /// Members of whom is not known what takes their time, where that hides them.
    pub(super) hidden: &'a BTreeSet<MemberId>,
}

/// What takes the time of somebody of whom that is not known.
pub(super) const UNKNOWN: Interval = Interval::EVER;

/// The stretch of time whose rules bear on the answer, openings included.
pub(super) fn ruled(ctx: &BookingContext, input: SearchInput) -> Interval {
    let seen = shown(ctx, input);
    let openings = ctx.members.iter().map(|m| opening(m.time_zone, seen.start()));
    let from = openings.min().unwrap_or(seen.start()).min(seen.start());
    Interval::new(from, seen.end()).unwrap_or(seen)
}

/// The stretch of time that is laid out.
fn shown(ctx: &BookingContext, input: SearchInput) -> Interval {
    counted(ctx, input).map_or(input.within, |counted| input.within.joined(counted)).widened(0, 2_880)
}

/// The stretch of time from now to what is asked for, if free days are counted in it. Farther ahead than they are looked for nothing is
/// offered, whatever lies between.
fn counted(ctx: &BookingContext, input: SearchInput) -> Option<Interval> {
    let far = input.now.plus_seconds(limits::FREE_DAYS_AHEAD_DAYS_MAX.saturating_mul(86_400));
    let start = input.within.start();
    let counts = matches!(booking_window(ctx), BookingWindow::RollingWindow { .. }) && start < far;
    counts.then(|| Interval::of_minutes(input.now.min(start), 0))
}

/// The question about these members, and the rules that could not be followed. The rules of each member have a share of the budget.
pub(super) fn question(
    ctx: &BookingContext,
    members: &[&MemberRecord],
    input: SearchInput,
    inputs: Inputs<'_>,
    budget: &Budget,
) -> Result<(Question, BTreeSet<RuleId>), Exhausted> {
    let event_type = &ctx.event_type;
    let policy = &event_type.policy;
    let seen = shown(ctx, input);
    budget.spend_each(inputs.rules.len())?;
    let rules = Rules::new(ctx, inputs.rules);
    // What cuts everyone's hours is the same for all.
    let cuts = rules.cuts(ctx, ruled(ctx, input), budget)?;
    let mut hosts = Vec::with_capacity(members.len());
    let mut left_out: BTreeSet<RuleId> = cuts.left_out.iter().copied().collect();
    for member in members {
        let (host, unfollowed) = budget.part(limits::MEMBER_STEPS_MAX, |own| {
            host(ctx, member, input, inputs, (&rules, &cuts), seen, own)
        })?;
        hosts.push(host);
        left_out.extend(unfollowed);
    }
    let question = Question {
        now: Some(input.now),
        range: input.within,
        meeting: Meeting {
            length_minutes: input.length_minutes,
            buffer_before_minutes: event_type.buffer_before_minutes,
            buffer_after_minutes: event_type.buffer_after_minutes,
            seats: policy.seats.max(1),
        },
        step_minutes: event_type.slot_interval_minutes.unwrap_or(input.length_minutes),
        offset_minutes: policy.grid.offset_minutes,
        anchor: policy.grid.anchor,
        round_up_minutes: policy.grid.round_up_to_minutes,
        grid_zone: policy.grid.time_zone,
        team_mode: policy.team_mode,
        notice_minutes: event_type.minimum_notice_minutes,
        limits: policy.limits.clone(),
        booking_window: Some(booking_window(ctx)),
        hosts,
    };
    Ok((question, left_out))
}

/// The length that a customer wants, if the event type offers it.
pub(crate) fn length(ctx: &BookingContext, wanted: Option<u32>) -> Result<u32, Problem> {
    let event_type = &ctx.event_type;
    let length = wanted.unwrap_or(event_type.length_minutes);
    if event_type.offers_length(length) {
        return Ok(length);
    }
    let mut lengths = vec![event_type.length_minutes];
    lengths.extend(&event_type.policy.other_lengths_minutes);
    let lengths: Vec<String> = lengths.iter().map(u32::to_string).collect();
    let error = FieldError::new("/length_minutes", format!("must be one of {}", lengths.join(", ")));
    Err(Problem::invalid(vec![error]))
}

/// Who is asked: everyone, or the named member with those who take part whoever is chosen.
pub(super) fn named(ctx: &BookingContext, only: Option<MemberId>) -> Result<Vec<&MemberRecord>, Problem> {
    let Some(only) = only else { return Ok(ctx.members.iter().collect()) };
    if ctx.members.iter().all(|m| m.id != only) {
        return Err(Problem::not_found("member of this event type"));
    }
    let role = |id: MemberId| ctx.event_type.role_of(id);
    let taking_part = |m: &&MemberRecord| match ctx.event_type.policy.team_mode {
        TeamMode::Single => m.id == only,
        TeamMode::Collective => true,
        TeamMode::RoundRobin => {
            let ((fixed, group), (_, wanted)) = (role(m.id), role(only));
            m.id == only || fixed || group != wanted
        }
    };
    Ok(ctx.members.iter().filter(taking_part).collect())
}
