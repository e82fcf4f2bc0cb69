//! What an answer is computed from: values alone, so that it can be computed on a thread of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use berth_model::{
    budget::Budget,
    id::{MemberId, RuleId, ScheduleId},
    limits,
    problem::{Code, Problem},
    scheduling::{
        question::Question,
        reason::Reason,
        rule::{Rule, RuleOwner, RuleRecord},
        slots::{Offer, Rejection},
    },
    time::{Instant, Interval},
};
use berth_store::records::SeenOccupancy;

use super::{
    NamedSchedule, RejectedSlot,
    external::ProviderAvailability,
    question::{Inputs, SearchInput, UNKNOWN, named, question},
};
use crate::{Outcome, connections::routing::BookingContext};

/// Everything that was read for an answer.
pub(super) struct Material {
    pub(super) ctx: BookingContext,
    /// With this member only.
    pub(super) only: Option<MemberId>,
    pub(super) input: SearchInput,
    pub(super) places: Vec<(MemberId, Vec<SeenOccupancy>)>,
    pub(super) external: Option<ProviderAvailability>,
    pub(super) calendars: BTreeMap<MemberId, Vec<Interval>>,
    pub(super) rules: Arc<[RuleRecord]>,
    /// Nothing is offered with them, and why.
    pub(super) hidden: (BTreeSet<MemberId>, Reason),
    /// Also say why other starts are not offered.
    pub(super) explains: bool,
}

/// What was computed.
pub(super) struct Computed {
    pub(super) question: Question,
    pub(super) offers: Vec<Offer>,
    pub(super) rejected: Vec<RejectedSlot>,
    pub(super) left_out: Vec<RuleId>,
}

impl Material {
    /// Is there so little of it that a small computation may be enough?
    pub(super) fn is_small(&self) -> bool {
        let places: usize = self.places.iter().map(|(_, places)| places.len()).sum();
        let calendars: usize = self.calendars.values().map(Vec::len).sum();
        let external = match self.external.as_ref() {
            Some(ProviderAvailability::Busy(busy)) => busy.len().saturating_mul(self.ctx.members.len()),
            Some(ProviderAvailability::Starts(starts)) => starts.len(),
            None => 0,
        };
        let rules = self.rules.iter().map(|rule| rule.rule.parts()).fold(0, usize::saturating_add);
        [places, calendars, external, rules].into_iter().fold(0, usize::saturating_add)
            <= limits::COMPUTE_INLINE_ITEMS_MAX
    }

    /// The answer, within the steps of this budget.
    pub(super) fn answer(&self, budget: &Budget) -> Outcome<Computed> {
        let members = named(&self.ctx, self.only)?;
        let external = self.external.as_ref();
        let (places, calendars, rules) = (&self.places, &self.calendars, &self.rules);
        let inputs = Inputs { places, external, calendars, rules, hidden: &self.hidden.0 };
        let (question, left_out) = question(&self.ctx, &members, self.input, inputs, budget)?;
        let mut offers = question.offers(budget)?;
        let mut rejections = if self.explains { question.rejections(&offers, budget)? } else { Vec::new() };
        if let Some(ProviderAvailability::Starts(starts)) = external {
            strike(&mut offers, &mut rejections, Reason::Provider, |start| {
                starts.binary_search(&start).is_ok()
            });
        }
        for rejection in rejections.iter_mut().filter(|rejection| rejection.by == Some(UNKNOWN)) {
            (rejection.reason, rejection.by) = (self.hidden.1, None);
        }
        let named: usize = offers.iter().map(|offer| offer.hosts.len()).sum();
        if offers.len() > limits::SLOTS_MAX
            || rejections.len() > limits::SLOTS_MAX
            || named > limits::SLOT_MEMBERS_MAX
        {
            return Err(too_many());
        }
        budget.spend_each(named.saturating_add(rejections.len()))?;
        let ids: Vec<MemberId> = members.iter().map(|member| member.id).collect();
        let rejected = if self.explains { self.named_rejections(rejections, &ids) } else { Vec::new() };
        Ok(Computed { question, offers, rejected, left_out: left_out.into_iter().collect() })
    }
}

impl Material {
    /// The schedule of this id, by its name.
    fn schedule(&self, id: Option<ScheduleId>) -> Option<Arc<NamedSchedule>> {
        let id = id?;
        self.rules.iter().find(|record| record.id.uuid() == id.uuid()).and_then(|record| match &record.rule {
            Rule::Schedule(schedule) => Some(Arc::new(NamedSchedule { id, name: schedule.name.clone() })),
            _ => None,
        })
    }

    fn named_rejections(&self, mut rejections: Vec<Rejection>, members: &[MemberId]) -> Vec<RejectedSlot> {
        rejections.sort_by_key(|r| (r.start, r.host));
        let opening = self.schedule(self.ctx.tenant.settings.opening_schedule_id);
        let of_event_type = self.schedule(self.ctx.event_type.policy.schedule_id);
        // What a member keeps counts where no pattern of theirs replaces it.
        let has_pattern = |member: MemberId| {
            let own = Some(RuleOwner::Member(member));
            self.rules.iter().any(|r| r.owner == own && matches!(r.rule, Rule::Pattern(_)))
        };
        let kept = |member: &MemberId| {
            let record = self.ctx.members.iter().find(|m| m.id == *member);
            self.schedule(record.and_then(|m| m.schedule).filter(|_| !has_pattern(*member)))
        };
        let kept: Vec<Option<Arc<NamedSchedule>>> = members.iter().map(kept).collect();
        let named = |r: Rejection| {
            let member = *members.get(r.host)?;
            let schedule = match r.reason {
                Reason::OpeningHours => opening.clone(),
                Reason::Schedule => of_event_type.clone(),
                Reason::Hours | Reason::Override => kept.get(r.host).cloned().flatten(),
                _ => None,
            };
            Some(RejectedSlot { start: r.start, member, reason: r.reason, by: r.by, schedule })
        };
        rejections.into_iter().filter_map(named).collect()
    }
}

fn too_many() -> Problem {
    let (slots, members) = (limits::SLOTS_MAX, limits::SLOT_MEMBERS_MAX);
    let detail =
        format!("from and to hold more than {slots} slots, or name members more than {members} times.");
    Problem::new(Code::MalformedParameter, detail).with_hint("Ask for fewer days at a time.")
}
/// Take offers back for a reason.
fn strike(
    offers: &mut Vec<Offer>,
    rejections: &mut Vec<Rejection>,
    reason: Reason,
    keeps: impl Fn(Instant) -> bool,
) {
    offers.retain(|offer| {
        let kept = keeps(offer.start);
        if !kept {
            let host = |host: &usize| Rejection { start: offer.start, host: *host, reason, by: None };
            rejections.extend(offer.hosts.iter().map(host));
        }
        kept
    });
}
