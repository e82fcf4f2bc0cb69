//! What `schemas.rs` of the domains say is what the model writes and reads: values of every type in it, whole, and of every variant, are
//! held against its schema. Struct literals and matches name every field and variant, so that a new one does not compile before it is here.

use std::collections::BTreeSet;

use berth_model::{
    bookings::{
        clocks::{ClockChange, Keep},
        location::LocationKind,
        questions::Question,
    },
    catalog::{
        event_type::{Confirmation, CounterpartState, EventTypeCounterpart, FairnessBasis, Visibility},
        member::MemberRole,
    },
    id::{BookingId, ConnectionId},
    mirror::sync::{ConflictKind, Done, Resolution, SourceOfTruth, SyncMode, SyncPhase},
    plugins::conformance::Verdict,
    privacy::ConsentState,
    scheduling::{
        rule::{Holiday, OutOfOffice, RestrictionSchedule, TravelRule},
        rules::{DayCount, GridAnchor, Period, Strategy, TeamMode},
        schedule::Schedule,
    },
    tenants::settings::{ColourScheme, HourClock},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    availability, bookings, catalog,
    drift_comparing::{Checked, both, every, told},
    drift_values::*,
    mirror, plugins, privacy, tenants,
};

/// Forms of requests that are read in several spellings and never answered: `tests/api/http/as_written.rs` asks in each.
const AS_WRITTEN: [&str; 4] = ["DayOfWeek", "PatternBody", "PatternKind", "Price"];

/// The type that begins in this line.
fn type_in(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub(crate) struct ").or_else(|| line.strip_prefix("pub(crate) enum "))?;
    rest.split(' ').next()
}

fn of_catalog() -> Vec<Checked> {
    use catalog::schemas as to;
    vec![
        both::<to::EventTypePolicy, _>(&[policy()]),
        both::<to::EventTypeCounterpart, _>(&[EventTypeCounterpart {
            connection_id: ConnectionId::from_uuid(Uuid::nil()),
            external_id: "x1".into(),
        }]),
        both::<to::Grid, _>(&[grid()]),
        both::<to::Visibility, _>(&every!(Visibility: Public, Private)),
        both::<to::Confirmation, _>(&every!(Confirmation: Automatic, Manual)),
        both::<to::Fairness, _>(&[fairness()]),
        both::<to::FairnessBasis, _>(&every!(FairnessBasis: CreatedAt, MeetingStart)),
        both::<to::HostRole, _>(&[role()]),
        told::<to::CounterpartState, _>(
            &every!(CounterpartState: Known, Unchecked, Missing, Unknown, Inactive),
        ),
        both::<to::TeamMode, _>(&every!(TeamMode: Single, Collective, RoundRobin)),
        both::<to::Strategy, _>(
            &every!(Strategy: LeastRecentlyAssigned, FewestUpcoming, PriorityThenLru, WeightedShortfallThenPriorityThenLru),
        ),
        both::<to::GridAnchor, _>(&every!(GridAnchor: FreeWindowStart, AvailabilityWindowStart, RangeStart)),
        both::<to::Period, _>(&every!(Period: Day, Week, Month, Year)),
        both::<to::Limit, _>(&limits()),
        both::<to::DayCount, _>(&every!(DayCount: Calendar, Business)),
        both::<to::BookingWindow, _>(&windows()),
        both::<to::Money, _>(&[money()]),
        both::<to::Question, _>(&questions()),
        both::<to::Location, _>(&[location()]),
        both::<to::LocationType, _>(&every!(LocationKind: InPerson, Phone, Link, Provider)),
        told::<to::QuestionType, _>(&questions().iter().map(kind_of).collect::<Vec<_>>()),
        both::<to::WeeklyHours, _>(&[weekly_hours()]),
        both::<to::MemberRole, _>(&every!(MemberRole: Owner, Admin, Member, Viewer)),
        both::<to::RoundRobinShare, _>(&[turns()]),
    ]
}

/// The word that a question is written with.
fn kind_of(question: &Question) -> Value {
    serde_json::to_value(question).unwrap()["type"].take()
}

fn of_rules() -> Vec<Checked> {
    use availability::schemas as to;
    let day_off = || Some(from("2026-12-26"));
    let schedule = RestrictionSchedule {
        name: "Daylight".into(),
        time_zone: from("Europe/Lisbon"),
        weekly_hours: vec![weekly_hours()],
        overrides: vec![day()],
    };
    let away = OutOfOffice {
        start: from("2026-12-24T12:00:00Z"),
        end: from("2027-01-02T00:00:00Z"),
        reason: Some("Leave".into()),
    };
    let abroad = TravelRule { from: from("2026-12-01"), to: day_off(), time_zone: from("Asia/Tokyo") };
    vec![
        both::<to::Stretch, _>(&[stretch()]),
        both::<to::Pattern, _>(&[pattern()]),
        both::<to::Override, _>(&[day()]),
        both::<to::Holiday, _>(&[Holiday {
            name: "Christmas".into(),
            date: from("2026-12-25"),
            last_date: day_off(),
        }]),
        both::<to::OutOfOffice, _>(&[away]),
        both::<to::TravelRule, _>(&[abroad]),
        both::<to::RestrictionSchedule, _>(&[schedule]),
        both::<to::Schedule, _>(&[Schedule {
            name: "Evenings".into(),
            time_zone: Some(from("Europe/Lisbon")),
            weekly_hours: vec![weekly_hours()],
            overrides: vec![day()],
        }]),
    ]
}

fn of_the_rest() -> Vec<Checked> {
    let change = ClockChange {
        booking: BookingId::from_uuid(Uuid::from_u128(9)),
        start: from("2026-12-08T16:00:00Z"),
        told: clocks(),
        shows: clocks(),
    };
    vec![
        both::<bookings::schemas::Shown, _>(&[shown()]),
        both::<bookings::schemas::Clocks, _>(&[clocks()]),
        told::<bookings::schemas::ClockChange, _>(&[change]),
        both::<bookings::schemas::Keep, _>(&every!(Keep: Instant, ListingClock, CustomerClock)),
        both::<mirror::schemas::SyncMode, _>(&every!(SyncMode: Off, Import, Export, Bidirectional)),
        both::<mirror::schemas::SourceOfTruth, _>(&every!(SourceOfTruth: Provider, Berth)),
        both::<mirror::schemas::SyncRules, _>(&[sync_rules()]),
        both::<mirror::schemas::SyncRule, _>(&[sync_rule()]),
        both::<mirror::schemas::RuleConditions, _>(&[sync_rule().conditions]),
        both::<mirror::schemas::BufferTimes, _>(&[sync_rule().conditions.buffer_times]),
        both::<mirror::schemas::RuleActions, _>(&[sync_rule().actions]),
        both::<mirror::schemas::Resolution, _>(&every!(Resolution: Ours, Theirs, Ignored)),
        both::<tenants::schemas::TenantSettings, _>(&[tenants::schemas::sample()]),
        both::<tenants::schemas::Brand, _>(&[tenants::schemas::sample().brand]),
        both::<tenants::schemas::ColourScheme, _>(&every!(ColourScheme: Auto, Light, Dark)),
        both::<tenants::schemas::HourClock, _>(&every!(HourClock: Twelve, TwentyFour)),
        told::<privacy::schemas::ConsentState, _>(&every!(ConsentState: Never, Given, Expired, Withdrawn)),
        both::<plugins::schemas::Verdict, _>(&every!(Verdict: Pass, Fail, NotApplicable, Inconclusive)),
        both::<plugins::schemas::CaseReport, _>(&report().cases),
        both::<plugins::schemas::Report, _>(&[report()]),
    ]
}

#[test]
fn what_is_published_is_what_the_model_writes_and_reads() {
    let checked: Vec<_> = [of_catalog(), of_rules(), of_the_rest()].into_iter().flatten().collect();
    let differences: Vec<_> = checked.iter().flat_map(Checked::differences).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    let names: BTreeSet<_> = checked.iter().map(|checked| checked.name.as_str()).collect();
    let files = [
        include_str!("availability/schemas.rs"),
        include_str!("bookings/schemas.rs"),
        include_str!("catalog/schemas.rs"),
        include_str!("mirror/schemas.rs"),
        include_str!("plugins/schemas.rs"),
        include_str!("privacy/schemas.rs"),
        include_str!("tenants/schemas.rs"),
    ];
    let mut written: BTreeSet<_> = files.iter().flat_map(|file| file.lines()).filter_map(type_in).collect();
    written.retain(|name| !AS_WRITTEN.contains(name));
    assert_eq!(names, written, "types of schemas.rs that are compared, and that are there");
}

#[test]
fn what_happens_in_synchronisation_has_the_models_names() {
    let done = every!(Done: Nothing, MovedThere, MovedHere, Moved, MadeThere, OursCancelled, TheirsCancelled);
    let checked = [
        told::<mirror::answers::SyncPhase, _>(&SyncPhase::ALL),
        told::<mirror::answers::ConflictKind, _>(&ConflictKind::ALL),
        told::<mirror::answers::Done, _>(&done),
    ];
    let differences: Vec<_> = checked.iter().flat_map(Checked::differences).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn each_kind_of_difference_is_found() {
    let found = |change: fn(&mut Value)| {
        let mut checked = both::<catalog::schemas::RoundRobinShare, _>(&[turns()]);
        change(&mut checked.schema);
        checked.differences().join("\n")
    };
    assert_eq!(found(|_| ()), "");
    let one_more = found(|schema| schema["properties"]["shifts"] = json!({ "type": "integer" }));
    assert!(one_more.contains("\"shifts\""), "{one_more}");
    let one_less = found(|schema| drop(schema["properties"].as_object_mut().unwrap().remove("weight")));
    assert!(one_less.contains("written"), "{one_less}");
    let other_type = found(|schema| schema["properties"]["weight"]["type"] = json!("string"));
    assert!(other_type.contains("50"), "{other_type}");
    let other_default = found(|schema| schema["properties"]["weight"]["default"] = json!(50));
    assert!(other_default.contains("100 where it is left out"), "{other_default}");
    let required = found(|schema| schema["required"] = json!(["weight"]));
    assert!(required.contains("weight left out"), "{required}");
    let lax = found(|schema| schema["additionalProperties"] = json!(true));
    assert!(lax.contains("unknown"), "{lax}");

    let mut modes =
        told::<mirror::schemas::SyncMode, _>(&every!(SyncMode: Off, Import, Export, Bidirectional));
    modes.values.pop();
    assert!(modes.differences().join("").contains("bidirectional"));
    let mut variants = both::<catalog::schemas::BookingWindow, _>(&windows());
    variants.values.pop();
    assert!(variants.differences().join("").contains("range"));
}
