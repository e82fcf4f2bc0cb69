//! Who takes a booking, and why.

use berth_model::{
    catalog::{event_type::FairnessBasis, member::MemberRecord},
    id::MemberId,
    scheduling::{
        choose::{Candidate, ranked},
        limit::period_of,
        question::Question,
        rules::{Strategy, TeamMode},
        slots::Offer,
    },
    zone::Zone,
};
use berth_store::records::{Assigned, Counted};
use chrono::Weekday;
use serde_json::{Value, json};

use crate::{Outcome, availability::Availability, connections::routing::BookingContext};

/// Everyone who would take part in a booking.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    /// The organiser first.
    pub(crate) members: Vec<MemberId>,
    /// How the organiser was chosen and among whom; stored with the booking.
    pub(crate) assignment: Value,
}

/// Choices that are tried when others are faster.
const ASSIGNMENTS_MAX: usize = 10;

impl Availability {
    /// Choices for an offer, the best first.
    pub(super) async fn assignments(
        &self,
        ctx: &BookingContext,
        question: &Question,
        ids: &[MemberId],
        offer: &Offer,
    ) -> Outcome<Vec<Assignment>> {
        let policy = &ctx.event_type.policy;
        let free: Vec<usize> = offer.hosts.clone();
        let id = |i: usize| ids.get(i).copied();
        if policy.team_mode == TeamMode::Collective {
            let members: Vec<MemberId> = free.into_iter().filter_map(id).collect();
            let assignment = json!({ "team_mode": "collective", "reason": "everyone takes part" });
            return Ok(vec![Assignment { members, assignment }]);
        }
        let is_fixed = |i: &usize| {
            policy.team_mode == TeamMode::RoundRobin && question.hosts.get(*i).is_some_and(|h| h.fixed)
        };
        let (fixed, turns): (Vec<usize>, Vec<usize>) = free.into_iter().partition(is_fixed);
        let order = self.order(ctx, ids, &turns, question, offer).await?;
        // A round robin needs one of each group; otherwise one person is enough, and all are one group.
        let grouped = policy.team_mode == TeamMode::RoundRobin;
        let group = |i: usize| grouped.then(|| question.hosts.get(i).and_then(|h| h.group.as_deref()));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (i, _) in &order {
            match groups.iter().position(|g| g.first().is_some_and(|first| group(*first) == group(*i))) {
                Some(known) => groups.get_mut(known).map_or((), |g| g.push(*i)),
                None => groups.push(vec![*i]),
            }
        }
        // Who is next in one group while the others stay.
        let longest = groups.iter().map(Vec::len).max().unwrap_or(usize::from(!fixed.is_empty()));
        let assignments = (0..longest.min(ASSIGNMENTS_MAX)).map(|turn| {
            let chosen = groups.iter().filter_map(|group| group.get(turn).or_else(|| group.last()).copied());
            let chosen: Vec<usize> = chosen.collect();
            let reason = chosen.first().and_then(|first| order.iter().find(|(i, _)| i == first));
            Assignment {
                members: chosen.iter().chain(&fixed).copied().filter_map(id).collect(),
                assignment: reason
                    .map_or_else(|| json!({ "reason": "fixed hosts only" }), |(_, reason)| reason.clone()),
            }
        });
        Ok(assignments.collect())
    }

    /// Which bookings count for fair shares at this offer.
    fn counted(&self, ctx: &BookingContext, offer: &Offer) -> Counted {
        let fairness = ctx.event_type.policy.fairness;
        let zone = fairness.time_zone.unwrap_or(Zone::UTC);
        let period = |at| period_of(fairness.reset, zone, Weekday::Mon, at);
        match fairness.basis {
            FairnessBasis::CreatedAt => Counted::CreatedIn(period(self.base.now())),
            FairnessBasis::MeetingStart => Counted::StartingIn(period(offer.start)),
        }
    }

    /// Those who take turns, most due first, each with the reason.
    async fn order(
        &self,
        ctx: &BookingContext,
        ids: &[MemberId],
        turns: &[usize],
        question: &Question,
        offer: &Offer,
    ) -> Outcome<Vec<(usize, Value)>> {
        let record = |i: usize| {
            let id = ids.get(i)?;
            ctx.members.iter().find(|m| m.id == *id)
        };
        let people: Vec<(usize, &MemberRecord)> =
            turns.iter().filter_map(|i| Some((*i, record(*i)?))).collect();
        if let [(only, _)] = people.as_slice() {
            return Ok(vec![(*only, json!({ "reason": "the only one who is free" }))]);
        }
        let members: Vec<MemberId> = people.iter().map(|(_, m)| m.id).collect();
        let assigned = self
            .base
            .store()
            .assigned(
                ctx.event_type.tenant,
                ctx.event_type.id,
                &members,
                self.counted(ctx, offer),
                self.base.now(),
            )
            .await?;
        let candidates: Vec<Candidate> = people
            .iter()
            .map(|(_, m)| {
                let none = Assigned { member: m.id, bookings: 0, upcoming: 0, last_assigned_at: None };
                let had = assigned.iter().find(|a| a.member == m.id).unwrap_or(&none);
                Candidate {
                    bookings: had.bookings,
                    calibration: m.turns.calibration,
                    weight: m.turns.weight,
                    priority: m.turns.priority,
                    last_assigned_at: had.last_assigned_at,
                    upcoming: had.upcoming,
                }
            })
            .collect();
        let strategy = ctx.event_type.policy.strategy;
        let mut order: Vec<usize> = ranked(strategy, &candidates);
        // Who has a running session with seats left goes first: it is filled before another is opened.
        order.sort_by_key(|position| {
            !people.get(*position).is_some_and(|(i, _)| question.has_session(*i, offer.start))
        });
        Ok(order
            .into_iter()
            .enumerate()
            .filter_map(|(rank, position)| {
                let (i, member) = people.get(position)?;
                let candidate = candidates.get(position)?;
                Some((*i, reason(strategy, rank, member, candidate, candidates.len())))
            })
            .collect())
    }
}

/// Why somebody has this rank, in numbers that can be checked.
fn reason(strategy: Strategy, rank: usize, member: &MemberRecord, candidate: &Candidate, of: usize) -> Value {
    json!({
        "strategy": strategy,
        "rank": rank.saturating_add(1),
        "of": of,
        "member": member.id,
        "bookings": candidate.bookings,
        "calibration": candidate.calibration,
        "weight": candidate.weight,
        "priority": candidate.priority,
        "upcoming": candidate.upcoming,
        "last_assigned_at": candidate.last_assigned_at,
    })
}
