//! Who takes a meeting: one person, everyone, or one in turn with those who always take part. Pure.

use std::collections::BTreeMap;

use berth_model::{
    event_type::EventTypeRecord,
    id::MemberId,
    scheduling::rules::{Strategy, TeamMode},
};
use serde_json::{Value, json};

/// People who could take a meeting together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Team {
    /// Who it is with.
    pub(crate) organiser: MemberId,
    /// Who takes part as well.
    pub(crate) others: Vec<MemberId>,
}

impl Team {
    pub(crate) fn members(&self) -> impl Iterator<Item = MemberId> + '_ {
        std::iter::once(self.organiser).chain(self.others.iter().copied())
    }

    fn of(mut members: Vec<MemberId>) -> Option<Self> {
        if members.is_empty() {
            return None;
        }
        let organiser = members.remove(0);
        members.retain(|member| *member != organiser);
        Some(Self { organiser, others: members })
    }
}

/// The teams that could take a meeting, best first; at most as many as there are people. `all` are the members who can be
/// booked, in the event type's order; `free` those who are free, whoever is most due first; `wanted` must be in the team.
pub(crate) fn teams(
    event_type: &EventTypeRecord,
    all: &[MemberId],
    free: &[MemberId],
    wanted: Option<MemberId>,
) -> Vec<Team> {
    match event_type.policy.team_mode {
        TeamMode::Single => {
            let one = |member: &MemberId| Team { organiser: *member, others: Vec::new() };
            free.iter().filter(|m| wanted.is_none_or(|w| w == **m)).map(one).collect()
        }
        TeamMode::Collective => {
            if all.iter().any(|member| !free.contains(member)) || wanted.is_some_and(|w| !all.contains(&w)) {
                return Vec::new();
            }
            Team::of(wanted.into_iter().chain(all.iter().copied()).collect()).into_iter().collect()
        }
        TeamMode::RoundRobin => in_turn(event_type, all, free, wanted),
    }
}

/// One of those who take turns, all fixed ones, one of each group.
fn in_turn(
    event_type: &EventTypeRecord,
    all: &[MemberId],
    free: &[MemberId],
    wanted: Option<MemberId>,
) -> Vec<Team> {
    let mut fixed = Vec::new();
    // The pool without a name takes turns; each group is another. One of each pool takes part.
    let mut pools: BTreeMap<Option<&str>, Vec<MemberId>> = BTreeMap::new();
    for member in all {
        match event_type.role_of(*member) {
            (true, _) => fixed.push(*member),
            (false, group) => {
                pools.entry(group).or_default();
            }
        }
    }
    for member in free {
        if let (false, group) = event_type.role_of(*member)
            && let Some(pool) = pools.get_mut(&group)
        {
            pool.push(*member);
        }
    }
    if let Some(wanted) = wanted {
        match event_type.role_of(wanted) {
            (true, _) => {}
            (false, group) => {
                if let Some(pool) = pools.get_mut(&group) {
                    pool.retain(|member| *member == wanted);
                }
            }
        }
    }
    if fixed.iter().any(|member| !free.contains(member)) || pools.values().any(Vec::is_empty) {
        return Vec::new();
    }
    let rounds = pools.values().map(Vec::len).max().unwrap_or(1);
    (0..rounds)
        .filter_map(|round| {
            // When somebody was faster with a member, the next round has the next of each pool.
            let turn = pools.values().filter_map(|pool| pool.get(round.checked_rem(pool.len())?).copied());
            Team::of(turn.chain(fixed.iter().copied()).collect())
        })
        .collect()
}

/// Why the organiser was chosen, as it is stored with the booking.
pub(crate) fn assignment(
    mode: TeamMode,
    strategy: Strategy,
    wanted: Option<MemberId>,
    candidates: usize,
    joined: bool,
) -> Value {
    let reason = if wanted.is_some() {
        "requested"
    } else if joined {
        "running_session"
    } else if mode == TeamMode::Collective {
        "everyone"
    } else if candidates == 1 {
        "only_one_free"
    } else {
        "strategy"
    };
    json!({ "strategy": strategy, "reason": reason, "runners_up": candidates.saturating_sub(1) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_model::{
        event_type::{EventTypePolicy, HostRole},
        id::Id,
        time::Instant,
    };

    fn id<T>(n: u128) -> Id<T> {
        format!("{n:032x}").parse().unwrap()
    }

    fn event_type(team_mode: TeamMode, host_roles: Vec<HostRole>) -> EventTypeRecord {
        EventTypeRecord {
            id: id(1),
            tenant: id(1),
            listing: id(1),
            slug: "cut".into(),
            title: "Haircut".into(),
            description: String::new(),
            length_minutes: 30,
            slot_interval_minutes: None,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            minimum_notice_minutes: 0,
            booking_window_days: 30,
            members: Vec::new(),
            policy: EventTypePolicy { team_mode, host_roles, ..EventTypePolicy::default() },
            external_id: None,
            active: true,
            revision: 1,
            created_at: Instant::MIN,
            updated_at: Instant::MIN,
        }
    }

    fn shown(teams: &[Team]) -> Vec<Vec<u128>> {
        teams.iter().map(|team| team.members().map(|m| m.uuid().as_u128()).collect()).collect()
    }

    #[test]
    fn each_mode_has_its_teams() {
        let all: Vec<MemberId> = (1..=5).map(id).collect();
        let fixed = |n| HostRole { member: id(n), fixed: true, group: None };
        let group = |n, name: &str| HostRole { member: id(n), fixed: false, group: Some(name.into()) };

        let single = event_type(TeamMode::Single, Vec::new());
        assert_eq!(shown(&teams(&single, &all, &[id(3), id(1)], None)), [[3], [1]]);
        assert_eq!(shown(&teams(&single, &all, &[id(3), id(1)], Some(id(1)))), [[1]]);
        assert!(teams(&single, &all, &[], None).is_empty());

        let everyone = event_type(TeamMode::Collective, Vec::new());
        assert_eq!(shown(&teams(&everyone, &all, &all, Some(id(4)))), [[4, 1, 2, 3, 5]]);
        assert!(teams(&everyone, &all, &all[..4], None).is_empty(), "one is not free");

        let turns = event_type(TeamMode::RoundRobin, vec![fixed(1), group(2, "a"), group(3, "a")]);
        assert_eq!(
            shown(&teams(&turns, &all, &[id(5), id(3), id(4), id(2), id(1)], None)),
            [[5, 3, 1], [4, 2, 1]]
        );
        assert_eq!(shown(&teams(&turns, &all, &[id(5), id(3), id(4), id(1)], Some(id(4)))), [[4, 3, 1]]);
        assert!(teams(&turns, &all, &[id(5), id(3)], None).is_empty(), "the fixed one is not free");
        assert!(teams(&turns, &all, &[id(1), id(5)], None).is_empty(), "nobody of the group is free");
        assert!(teams(&turns, &all, &[id(1), id(2)], None).is_empty(), "nobody to take the turn");
    }
}
