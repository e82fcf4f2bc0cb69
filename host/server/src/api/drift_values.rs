//! A value of each type of the model that is published, with every field set to what is not its default. Struct literals and matches name
//! every field and variant, so that a new one does not compile before it is here.

use berth_model::{
    bookings::{
        clocks::{Clocks, Shown},
        location::{Location, LocationKind},
        questions::{Question, QuestionKind},
    },
    catalog::{
        event_type::{Confirmation, EventTypePolicy, Fairness, FairnessBasis, Grid, HostRole, Visibility},
        member::{RoundRobinShare, WeeklyHours},
    },
    id::{MemberId, RestrictionScheduleId, ScheduleId},
    mirror::{
        rules::{BufferTimes, RuleActions, RuleConditions, SyncRule, SyncRules},
        sync::{SourceOfTruth, SyncMode},
    },
    outbound::provider::Money,
    plugins::conformance::{CaseReport, Report, Verdict},
    scheduling::{
        rule::{Override, Pattern, Stretch},
        rules::{BookingWindow, DayCount, GridAnchor, Limit, Period, Quantity, Strategy, TeamMode},
    },
};
use uuid::Uuid;

pub(super) fn from<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(super) fn member() -> MemberId {
    MemberId::from_uuid(Uuid::from_u128(7))
}

pub(super) fn limits() -> Vec<Limit> {
    let limit = |most| {
        let _ = |most: &Quantity| match most {
            Quantity::MaxBookings(_) | Quantity::MaxMinutes(_) => {}
        };
        Limit { per: Period::Week, most, timezone: Some(from("Europe/Lisbon")), week_start: from("Sun") }
    };
    vec![limit(Quantity::MaxBookings(4)), limit(Quantity::MaxMinutes(90))]
}

pub(super) fn windows() -> Vec<BookingWindow> {
    use BookingWindow as Window;
    let _ = |window: &Window| match window {
        Window::Rolling { .. } | Window::RollingWindow { .. } | Window::Range { .. } => {}
    };
    let (days, count, timezone) = (10, DayCount::Business, Some(from("Europe/Lisbon")));
    vec![
        Window::Rolling { days, count, timezone },
        Window::RollingWindow { days, count, timezone },
        Window::Range { from: from("2026-11-20"), to: from("2026-12-24"), timezone },
    ]
}

pub(super) fn questions() -> Vec<Question> {
    use QuestionKind as Kind;
    let _ = |kind| match kind {
        Kind::Text { .. }
        | Kind::LongText { .. }
        | Kind::Email
        | Kind::Phone
        | Kind::Number { .. }
        | Kind::Select { .. }
        | Kind::MultiSelect { .. }
        | Kind::Checkbox
        | Kind::Date => (),
    };
    let (min_length, max_length) = (Some(1), Some(80));
    let options = vec!["indoors".to_owned(), "outdoors".to_owned()];
    let kinds = [
        Kind::Text { min_length, max_length },
        Kind::LongText { min_length, max_length },
        Kind::Email,
        Kind::Phone,
        Kind::Number { min: Some(-1), max: Some(8) },
        Kind::Select { options: options.clone() },
        Kind::MultiSelect { options },
        Kind::Checkbox,
        Kind::Date,
    ];
    let question = |kind| Question { key: "it".into(), label: "What is it?".into(), kind, required: true };
    kinds.map(question).into()
}

pub(super) fn location() -> Location {
    Location {
        key: "office".into(),
        kind: LocationKind::InPerson,
        label: Some("Our office".into()),
        address: Some("Pier 1".into()),
        phone: Some("+48600100200".into()),
        url: Some("https://meet.example/x".into()),
    }
}

pub(super) fn policy() -> EventTypePolicy {
    EventTypePolicy {
        other_lengths_minutes: vec![45],
        grid: grid(),
        booking_window: windows().pop(),
        limits: limits(),
        seats: 3,
        price: Some(money()),
        visibility: Visibility::Private,
        questions: questions(),
        locations: vec![location()],
        confirmation: Confirmation::Manual,
        team_mode: TeamMode::RoundRobin,
        strategy: Strategy::PriorityThenLru,
        fairness: fairness(),
        host_roles: vec![role()],
        cancel_cutoff_minutes: Some(60),
        reschedule_cutoff_minutes: Some(30),
        restriction_schedule: Some(RestrictionScheduleId::from_uuid(Uuid::from_u128(8))),
        schedule_id: Some(ScheduleId::from_uuid(Uuid::from_u128(9))),
    }
}

pub(super) fn grid() -> Grid {
    let time_zone = Some(from("Europe/Lisbon"));
    let anchor = GridAnchor::RangeStart;
    Grid { anchor, round_up_to_minutes: Some(15), time_zone, offset_minutes: 5 }
}

pub(super) fn money() -> Money {
    Money { minor_units: 4_900, currency: "EUR".into() }
}

pub(super) fn fairness() -> Fairness {
    Fairness { reset: Period::Year, basis: FairnessBasis::MeetingStart, time_zone: Some(from("Asia/Tokyo")) }
}

pub(super) fn role() -> HostRole {
    HostRole { member: member(), fixed: true, group: Some("nurses".into()) }
}

pub(super) fn turns() -> RoundRobinShare {
    RoundRobinShare { round_robin: false, weight: 50, priority: 3, calibration: 1 }
}

pub(super) fn stretch() -> Stretch {
    Stretch { start: from("09:00:00"), end: Some(from("17:00:00")) }
}

pub(super) fn weekly_hours() -> WeeklyHours {
    WeeklyHours { weekdays: vec![from("Mon")], start: stretch().start, end: None }
}

pub(super) fn day() -> Override {
    Override { date: from("2026-12-24"), intervals: vec![stretch(), Stretch { end: None, ..stretch() }] }
}

pub(super) fn pattern() -> Pattern {
    let local = from("2026-11-23T09:00:00");
    Pattern {
        weekdays: vec![from("Mon"), from("Wed")],
        hours: Some(stretch()),
        valid_from: Some(from("2026-11-23")),
        valid_to: Some(from("2026-12-23")),
        dtstart_local: Some(local),
        rrule: Some("FREQ=MONTHLY;BYDAY=1MO".into()),
        duration_minutes: Some(60),
        exdates_local: vec![local],
        rdates_local: vec![local],
        time_zone: Some(from("Europe/Lisbon")),
    }
}

pub(super) fn clocks() -> Clocks {
    Clocks { listing: shown(), customer: Some(shown()) }
}

pub(super) fn shown() -> Shown {
    Shown { zone: "America/Edmonton".into(), start: "2026-12-08T09:00:00".into() }
}

pub(super) fn report() -> Report {
    let case = CaseReport {
        id: "C042".into(),
        title: "Books".into(),
        verdict: Verdict::Fail,
        detail: "It does not".into(),
    };
    Report { suite: "1.0".into(), cases: vec![case] }
}

pub(super) fn sync_rules() -> SyncRules {
    SyncRules {
        mode: SyncMode::Import,
        source_of_truth: SourceOfTruth::Berth,
        auto_resolve: false,
        notify: false,
        buffer_minutes: 5,
        max_advance_days: 30,
        member: Some(MemberId::from_uuid(Uuid::from_u128(7))),
        sync_availability: false,
        rules: Some(vec![sync_rule()]),
    }
}

pub(super) fn sync_rule() -> SyncRule {
    SyncRule {
        id: "near".into(),
        name: "Soon".into(),
        source_system: "both".into(),
        priority: 5,
        conditions: RuleConditions {
            buffer_times: BufferTimes { before: 15, after: 10 },
            max_advance_booking: Some(90),
        },
        actions: RuleActions { sync_availability: false, auto_resolve_conflicts: false, notify_admin: false },
        active: false,
    }
}
