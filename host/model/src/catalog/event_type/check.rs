//! Is this an event type that can be booked as it says?

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{EventTypePolicy, EventTypeRecord, HostRole};
use crate::{
    bookings::{location::check_locations, questions::check_questions},
    limits::{
        BOOKING_WINDOW_DAYS_MAX, BUFFER_MINUTES_MAX, CUTOFF_MINUTES_MAX, EVENT_TYPE_COUNTERPARTS_MAX,
        EVENT_TYPE_MEMBERS_MAX, LIMITS_MAX, MEETING_MINUTES_MAX, NOTICE_MINUTES_MAX, OTHER_LENGTHS_MAX,
        SEATS_MAX,
    },
    problem::Problem,
    scheduling::{
        limit::contradiction,
        rules::{BookingWindow, Limit, Quantity, Strategy, TeamMode},
    },
    validate::Fields,
};

impl EventTypeRecord {
    /// Refuse what is not acceptable: all problems at once, each with its field. Whether what it refers to exists is not looked at.
    pub fn check(&self) -> Result<(), Problem> {
        let mut fields = Fields::default();
        fields.slug("/slug", &self.slug);
        fields.text("/title", &self.title, 200);
        fields.long_text("/description", &self.description, 4_000);
        fields.range("/length_minutes", self.length_minutes, 1, MEETING_MINUTES_MAX);
        if let Some(interval) = self.slot_interval_minutes {
            fields.range("/slot_interval_minutes", interval, 1, MEETING_MINUTES_MAX);
        }
        fields.range("/buffer_before_minutes", self.buffer_before_minutes, 0, BUFFER_MINUTES_MAX);
        fields.range("/buffer_after_minutes", self.buffer_after_minutes, 0, BUFFER_MINUTES_MAX);
        fields.range("/minimum_notice_minutes", self.minimum_notice_minutes, 0, NOTICE_MINUTES_MAX);
        fields.range("/booking_window_days", self.booking_window_days, 0, BOOKING_WINDOW_DAYS_MAX);
        fields.count("/member_ids", self.members.len(), 0, EVENT_TYPE_MEMBERS_MAX);
        fields.distinct("/member_ids", &self.members);
        fields.count("/external", self.external.len(), 0, EVENT_TYPE_COUNTERPARTS_MAX);
        let mut connections = BTreeSet::new();
        for (i, entry) in self.external.iter().enumerate().take(EVENT_TYPE_COUNTERPARTS_MAX) {
            fields.text(&format!("/external/{i}/external_id"), &entry.external_id, 500);
            if !connections.insert(entry.connection_id) {
                fields.bad(&format!("/external/{i}/connection_id"), "has an entry already");
            }
        }
        if let Some(id) = &self.external_id {
            fields.text("/external_id", id, 500);
        }
        self.check_lengths(&mut fields);
        self.policy.check(&mut fields);
        self.check_team(&mut fields);
        fields.finish()
    }

    fn check_lengths(&self, fields: &mut Fields) {
        let (others, at) = (&self.policy.other_lengths_minutes, "/policy/other_lengths_minutes");
        fields.count(at, others.len(), 0, OTHER_LENGTHS_MAX);
        fields.distinct(at, others);
        for (i, length) in others.iter().enumerate() {
            fields.range(&format!("{at}/{i}"), *length, 1, MEETING_MINUTES_MAX);
            if *length == self.length_minutes {
                fields.bad(&format!("{at}/{i}"), "is length_minutes already; name only the other lengths");
            }
        }
        let shortest = others.iter().copied().fold(self.length_minutes, u32::min);
        check_limits(&self.policy.limits, shortest, fields);
    }

    fn check_team(&self, fields: &mut Fields) {
        let policy = &self.policy;
        if policy.team_mode == TeamMode::Collective && policy.strategy != Strategy::default() {
            fields.bad("/policy/strategy", "nobody is chosen where everyone takes part; leave it out");
        }
        let (roles, at) = (&policy.host_roles, "/policy/host_roles");
        if !roles.is_empty() && policy.team_mode != TeamMode::RoundRobin {
            fields.bad(at, "is only for team_mode round_robin");
            return;
        }
        fields.count(at, roles.len(), 0, EVENT_TYPE_MEMBERS_MAX);
        fields.distinct(at, roles.iter().map(|role| role.member));
        for (i, role) in roles.iter().enumerate() {
            let at = format!("{at}/{i}");
            if !self.members.contains(&role.member) {
                fields.bad(&format!("{at}/member_id"), "must be one of /member_ids");
            }
            check_role(role, &at, fields);
        }
        let fixed = |member| roles.iter().any(|role| role.fixed && role.member == member);
        if !roles.is_empty() && self.members.iter().all(|member| fixed(*member)) {
            fields.bad(
                at,
                "at least one member must take turns; use team_mode collective if all of them take part",
            );
        }
    }
}

impl EventTypePolicy {
    fn check(&self, fields: &mut Fields) {
        if let Some(minutes) = self.grid.round_up_to_minutes {
            fields.range("/policy/grid/round_up_to_minutes", minutes, 1, MEETING_MINUTES_MAX);
        }
        fields.range("/policy/grid/offset_minutes", self.grid.offset_minutes, 0, MEETING_MINUTES_MAX);
        if let Some(window) = &self.booking_window {
            check_window(window, fields);
        }
        fields.range("/policy/seats", self.seats, 1, SEATS_MAX);
        if let Some(price) = &self.price {
            fields.price("/policy/price", price);
        }
        check_questions(&self.questions, "/policy/questions", fields);
        check_locations(&self.locations, "/policy/locations", fields);
        if let Some(minutes) = self.cancel_cutoff_minutes {
            fields.range("/policy/cancel_cutoff_minutes", minutes, 0, CUTOFF_MINUTES_MAX);
        }
        if let Some(minutes) = self.reschedule_cutoff_minutes {
            fields.range("/policy/reschedule_cutoff_minutes", minutes, 0, CUTOFF_MINUTES_MAX);
        }
    }
}

fn check_window(window: &BookingWindow, fields: &mut Fields) {
    match window {
        BookingWindow::Rolling { days, .. } => {
            fields.range("/policy/booking_window/days", *days, 0, BOOKING_WINDOW_DAYS_MAX);
        }
        BookingWindow::RollingWindow { days, .. } => {
            fields.range("/policy/booking_window/days", *days, 1, BOOKING_WINDOW_DAYS_MAX);
        }
        BookingWindow::Range { from, to, .. } => {
            fields.day("/policy/booking_window/from", *from);
            fields.day("/policy/booking_window/to", *to);
            if from > to {
                fields.bad("/policy/booking_window/to", "must not be before from");
            }
        }
    }
}

fn check_role(role: &HostRole, at: &str, fields: &mut Fields) {
    if let Some(group) = &role.group {
        fields.text(&format!("{at}/group"), group, 64);
        if role.fixed {
            fields.bad(&format!("{at}/group"), "a fixed member is of no group; leave one of the two out");
        }
    }
}

/// `shortest`: the shortest length that can be booked, in minutes.
fn check_limits(limits: &[Limit], shortest: u32, fields: &mut Fields) {
    let at = "/policy/limits";
    fields.count(at, limits.len(), 0, LIMITS_MAX);
    fields.distinct(at, limits.iter().map(|l| (l.per, matches!(l.most, Quantity::MaxBookings(_)))));
    for (i, limit) in limits.iter().enumerate() {
        match limit.most {
            Quantity::MaxBookings(0) => {
                fields.bad(
                    &format!("{at}/{i}/max_bookings"),
                    "must be 1 or more; to take no bookings, set active to false",
                );
            }
            Quantity::MaxMinutes(most) if most < shortest => {
                fields.bad(
                    &format!("{at}/{i}/max_minutes"),
                    format!("must be {shortest} or more, the shortest length; less could never be booked"),
                );
            }
            Quantity::MaxBookings(_) | Quantity::MaxMinutes(_) => {}
        }
    }
    let of = |most: fn(Quantity) -> Option<u32>| -> Vec<_> {
        limits.iter().filter_map(|limit| most(limit.most).map(|most| (limit.per, most))).collect()
    };
    let bookings = of(|most| if let Quantity::MaxBookings(n) = most { Some(n) } else { None });
    let minutes = of(|most| if let Quantity::MaxMinutes(n) = most { Some(n) } else { None });
    for (name, limits_of) in [("max_bookings", bookings), ("max_minutes", minutes)] {
        if let Some((short, long)) = contradiction(&limits_of) {
            fields.bad(
                at,
                format!(
                    "{name} per {} is less than per {}; a longer period may not allow less",
                    long.as_str(),
                    short.as_str()
                ),
            );
        }
    }
}
