//! Is this an event type that can be booked as it says?

use super::{EventTypePolicy, EventTypeRecord, HostRole};
use crate::{
    limits::{
        BOOKING_WINDOW_DAYS_MAX, BUFFER_MINUTES_MAX, CUTOFF_MINUTES_MAX, EVENT_TYPE_MEMBERS_MAX, LIMITS_MAX,
        MEETING_MINUTES_MAX, NOTICE_MINUTES_MAX, OTHER_LENGTHS_MAX, SEATS_MAX,
    },
    problem::Problem,
    questions::check_questions,
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
        fields.count("/members", self.members.len(), 1, EVENT_TYPE_MEMBERS_MAX);
        fields.distinct("/members", &self.members);
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
                fields.bad(&format!("{at}/member"), "must be one of /members");
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        id::{EventTypeId, ListingId, MemberId, TenantId},
        time::Instant,
    };

    const ANA: &str = "00000000-0000-7000-8000-000000000001";
    const BEN: &str = "00000000-0000-7000-8000-000000000002";
    const EVE: &str = "00000000-0000-7000-8000-000000000003";

    fn record() -> EventTypeRecord {
        let nil = uuid::Uuid::nil();
        EventTypeRecord {
            id: EventTypeId::from_uuid(nil),
            tenant: TenantId::from_uuid(nil),
            listing: ListingId::from_uuid(nil),
            slug: "intro-call".to_owned(),
            title: "Intro call".to_owned(),
            description: String::new(),
            length_minutes: 30,
            slot_interval_minutes: None,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            minimum_notice_minutes: 0,
            booking_window_days: 60,
            members: [ANA, BEN].map(|id| id.parse::<MemberId>().unwrap()).to_vec(),
            policy: EventTypePolicy::default(),
            external_id: None,
            active: true,
            revision: 1,
            created_at: Instant::MIN,
            updated_at: Instant::MIN,
        }
    }

    fn bad_fields(record: &EventTypeRecord) -> Vec<String> {
        record.check().map_or_else(|p| p.errors.into_iter().map(|e| e.field).collect(), |()| Vec::new())
    }

    fn with(policy: Value) -> EventTypeRecord {
        EventTypeRecord { policy: serde_json::from_value(policy).unwrap(), ..record() }
    }

    #[test]
    fn the_neutral_policy_and_a_full_one_are_good() {
        assert_eq!(bad_fields(&record()), [""; 0]);
        let full = json!({
            "other_lengths_minutes": [15, 60],
            "grid": { "anchor": "free_window_start", "round_up_to_minutes": 15, "time_zone": "Europe/Lisbon", "offset_minutes": 5 },
            "booking_window": { "type": "range", "from": "2026-11-20", "to": "2026-11-20" },
            "limits": [{ "per": "week", "max_bookings": 3 }, { "per": "day", "max_bookings": 3 }, { "per": "day", "max_minutes": 15 }],
            "seats": 1000,
            "price": { "minor_units": 4_900, "currency": "EUR" },
            "questions": [{ "key": "why", "label": "Why?", "type": "text" }],
            "confirmation": "manual",
            "team_mode": "round_robin",
            "strategy": "priority_then_lru",
            "host_roles": [{ "member": ANA, "fixed": true }],
            "cancel_cutoff_minutes": 1_440,
            "reschedule_cutoff_minutes": 0,
        });
        assert_eq!(bad_fields(&with(full)), [""; 0]);
    }

    #[test]
    fn each_bad_field_is_named() {
        for (policy, field) in [
            (json!({ "other_lengths_minutes": [15, 15] }), "/policy/other_lengths_minutes/1"),
            (json!({ "other_lengths_minutes": [30] }), "/policy/other_lengths_minutes/0"),
            (json!({ "other_lengths_minutes": [0] }), "/policy/other_lengths_minutes/0"),
            (
                json!({ "other_lengths_minutes": (31..60).collect::<Vec<_>>() }),
                "/policy/other_lengths_minutes",
            ),
            (json!({ "grid": { "round_up_to_minutes": 0 } }), "/policy/grid/round_up_to_minutes"),
            (json!({ "grid": { "offset_minutes": 1_441 } }), "/policy/grid/offset_minutes"),
            (json!({ "booking_window": { "type": "rolling", "days": 731 } }), "/policy/booking_window/days"),
            (
                json!({ "booking_window": { "type": "rolling_window", "days": 0 } }),
                "/policy/booking_window/days",
            ),
            (
                json!({ "booking_window": { "type": "range", "from": "2026-11-21", "to": "2026-11-20" } }),
                "/policy/booking_window/to",
            ),
            (json!({ "limits": [{ "per": "day", "max_bookings": 0 }] }), "/policy/limits/0/max_bookings"),
            (json!({ "limits": [{ "per": "day", "max_minutes": 29 }] }), "/policy/limits/0/max_minutes"),
            (
                json!({ "limits": [{ "per": "day", "max_bookings": 1 }, { "per": "day", "max_bookings": 2 }] }),
                "/policy/limits/1",
            ),
            (
                json!({ "limits": [{ "per": "day", "max_bookings": 2 }, { "per": "year", "max_bookings": 1 }] }),
                "/policy/limits",
            ),
            (
                json!({ "limits": [{ "per": "week", "max_minutes": 90 }, { "per": "month", "max_minutes": 60 }] }),
                "/policy/limits",
            ),
            (json!({ "seats": 0 }), "/policy/seats"),
            (json!({ "seats": 1_001 }), "/policy/seats"),
            (json!({ "price": { "minor_units": -1, "currency": "EUR" } }), "/policy/price/minor_units"),
            (json!({ "price": { "minor_units": 1, "currency": "eur" } }), "/policy/price/currency"),
            (json!({ "price": { "minor_units": 1, "currency": "QQQ" } }), "/policy/price/currency"),
            (json!({ "price": { "minor_units": 1, "currency": "XAU" } }), "/policy/price/currency"),
            (
                json!({ "questions": [{ "key": "A", "label": "x", "type": "text" }] }),
                "/policy/questions/0/key",
            ),
            (json!({ "team_mode": "collective", "strategy": "priority_then_lru" }), "/policy/strategy"),
            (json!({ "host_roles": [{ "member": ANA, "fixed": true }] }), "/policy/host_roles"),
            (
                json!({ "team_mode": "round_robin", "host_roles": [{ "member": EVE }] }),
                "/policy/host_roles/0/member",
            ),
            (
                json!({ "team_mode": "round_robin", "host_roles": [{ "member": ANA }, { "member": ANA }] }),
                "/policy/host_roles/1",
            ),
            (
                json!({ "team_mode": "round_robin", "host_roles": [{ "member": ANA, "group": "" }] }),
                "/policy/host_roles/0/group",
            ),
            (
                json!({ "team_mode": "round_robin", "host_roles": [{ "member": ANA, "group": "a", "fixed": true }] }),
                "/policy/host_roles/0/group",
            ),
            (
                json!({ "team_mode": "round_robin", "host_roles": [{ "member": ANA, "fixed": true }, { "member": BEN, "fixed": true }] }),
                "/policy/host_roles",
            ),
            (json!({ "cancel_cutoff_minutes": 527_041 }), "/policy/cancel_cutoff_minutes"),
            (json!({ "reschedule_cutoff_minutes": 527_041 }), "/policy/reschedule_cutoff_minutes"),
        ] {
            assert_eq!(bad_fields(&with(policy.clone())), [field], "{policy}");
        }
    }

    #[test]
    fn all_bad_fields_are_named_at_once() {
        let ana = record().members[0];
        let record = EventTypeRecord {
            slug: "-".to_owned(),
            title: " ".to_owned(),
            description: "x".repeat(4_001),
            length_minutes: 1_441,
            slot_interval_minutes: Some(0),
            buffer_before_minutes: 1_441,
            buffer_after_minutes: 1_441,
            minimum_notice_minutes: 129_601,
            booking_window_days: 731,
            members: vec![ana, ana],
            external_id: Some(String::new()),
            ..record()
        };
        assert_eq!(
            bad_fields(&record),
            [
                "/slug",
                "/title",
                "/description",
                "/length_minutes",
                "/slot_interval_minutes",
                "/buffer_before_minutes",
                "/buffer_after_minutes",
                "/minimum_notice_minutes",
                "/booking_window_days",
                "/members/1",
                "/external_id",
            ]
        );
        assert_eq!(bad_fields(&EventTypeRecord { members: Vec::new(), ..self::record() }), ["/members"]);
    }
}
